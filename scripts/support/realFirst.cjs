'use strict';

const { default: Sequencer } = require('@jest/test-sequencer');

/** Projects whose files take minutes: one of them must not be what is started last. */
const FIRST = ['faults', 'e2e', 'e2e-1x', 'queue-main'];

/** Jest's own order (what failed, then what took longest), with the tests of a real n8n first. */
module.exports = class RealFirst extends Sequencer {
	sort(tests) {
		const rank = ({ context }) => (FIRST.includes(context.config.displayName.name) ? 0 : 1);
		return [...super.sort(tests)].sort((a, b) => rank(a) - rank(b));
	}
};
