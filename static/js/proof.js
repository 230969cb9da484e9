// A proof of work where a request looks like a program's: the widget with its worker from our own host.
import '../vendor/altcha/external/altcha.min.js';

// The page names the worker: collected files bear their hash, which no script knows of another.
const { worker } = document.querySelector('altcha-widget').dataset;
globalThis.$altcha.algorithms.set('PBKDF2/SHA-256', () => new Worker(worker));
