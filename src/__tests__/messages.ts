import { readdirSync, readFileSync } from 'fs';
import { join } from 'path';
import ts from 'typescript';

import { SERVER_TEXTS } from '../serverTexts';

const SOURCE = join(__dirname, '..');
const SCHEMA = join(SOURCE, '..', 'schema', 'plugin.json');

/** A text that is shown: one form, or singular and plural. */
export type Message = readonly [string] | readonly [string, string];

/** Every text of the source and of the settings' schema, by its key in a catalogue. */
export function messages(): Map<string, Message> {
  const found = new Map<string, Message>();
  for (const path of sources(SOURCE)) {
    const text = readFileSync(path, 'utf8');
    const file = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
    visit(file, found);
  }
  const schema = JSON.parse(readFileSync(SCHEMA, 'utf8'));
  for (const part of [schema, ...Object.values(schema.properties)]) {
    const { title, description } = part as Record<string, string>;
    found.set(title, [title]);
    found.set(description, [description]);
  }
  for (const text of SERVER_TEXTS) {
    found.set(text, [text]);
  }
  return found;
}

function sources(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap(entry => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      return entry.name === '__tests__' ? [] : sources(path);
    }
    return /\.tsx?$/.test(entry.name) ? [path] : [];
  });
}

function visit(node: ts.Node, found: Map<string, Message>): void {
  if (
    ts.isCallExpression(node) &&
    ts.isPropertyAccessExpression(node.expression)
  ) {
    const [first, second] = node.arguments.map(literal);
    const name = node.expression.name.text;
    if (name === '__' && first !== null) {
      found.set(first, [first]);
    } else if (name === '_n' && first !== null && second !== null) {
      found.set(first, [first, second]);
    }
  }
  ts.forEachChild(node, child => visit(child, found));
}

function literal(node: ts.Expression): string | null {
  return ts.isStringLiteralLike(node) ? node.text : null;
}
