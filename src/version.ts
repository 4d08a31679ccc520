/** This page's version; the server tells its own at the handshake. A unit test holds it to package.json. */
export const VERSION = '0.1.0';
