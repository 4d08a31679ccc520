const jupyterlab = require('@jupyterlab/testutils/lib/jest-config');

// Published as ES modules only; jest runs CommonJS, so babel has to touch them.
const esModules = [
  '@codemirror',
  '@jupyter/',
  '@microsoft/',
  'exenv-es6',
  '@jupyterlab/',
  'lib0',
  'nanoid',
  'vscode-ws-jsonrpc',
  'y-protocols',
  'y-websocket',
  'yjs'
].join('|');

const base = jupyterlab(__dirname);

module.exports = {
  ...base,
  automock: false,
  collectCoverage: false,
  roots: ['<rootDir>/src'],
  setupFiles: [...(base.setupFiles ?? []), './src/__tests__/setup.js'],
  testRegex: 'src/.*\\.spec\\.tsx?$',
  transformIgnorePatterns: [`/node_modules/(?!${esModules}).+`]
};
