// A proof of work where a request looks like a program's: the widget with its worker from our own host.
import '../vendor/altcha/external/altcha.min.js';

const worker = new URL('../vendor/altcha/workers/pbkdf2.js', import.meta.url);
globalThis.$altcha.algorithms.set('PBKDF2/SHA-256', () => new Worker(worker));
