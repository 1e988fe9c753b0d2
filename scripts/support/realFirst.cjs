'use strict';

const { basename } = require('node:path');

const { default: Sequencer } = require('@jest/test-sequencer');

/** Projects whose tests take minutes. */
const REAL = ['faults', 'e2e', 'e2e-1x', 'queue-main'];
/**
 * What takes longest: must not be what is started last. Those that mostly wait for n8n's minute come
 * after those that keep the processor busy meanwhile.
 */
const LONGEST = ['recovery', 'registration', 'mainProcess', 'repair', 'triggers', 'unreachable'];

/**
 * Jest's own order (what failed, then what took longest, then what is largest), with the tests of a
 * real n8n first. Jest knows how long a file took only where it ran before, and never in a new clone.
 */
module.exports = class RealFirst extends Sequencer {
	sort(tests) {
		return [...super.sort(tests)].sort((a, b) => rank(a) - rank(b));
	}
};

/** @returns the place in LONGEST, then the other tests of a real n8n, then the rest */
function rank({ context, path }) {
	if (!REAL.includes(context.config.displayName.name)) return LONGEST.length + 1;
	const place = LONGEST.indexOf(basename(path, '.test.ts'));
	return place === -1 ? LONGEST.length : place;
}
