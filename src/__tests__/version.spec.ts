import { VERSION } from '../version';

it('is the version of the package', () => {
  const manifest: { version: string } =
    jest.requireActual('../../package.json');
  expect(VERSION).toBe(manifest.version);
});
