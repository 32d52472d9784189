/** The product's version, as in its package; a test compares them. Not every host has a file to read it from. */
export const VERSION = "0.1.0";
