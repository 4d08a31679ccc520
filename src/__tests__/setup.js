// ydoc builds a cell, and its undo manager, before they belong to a document; newer yjs complains each time.
// Nothing else is silenced.
const UPSTREAM = ['Invalid access: Add Yjs type', '[yjs#509] Not same Y.Doc'];
const warn = console.warn;
console.warn = (...args) => {
  if (!UPSTREAM.some(text => String(args[0]).startsWith(text))) {
    warn(...args);
  }
};
