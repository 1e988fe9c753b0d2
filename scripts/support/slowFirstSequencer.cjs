'use strict';

const { basename } = require('node:path');

const { default: Sequencer } = require('@jest/test-sequencer');

/** Projects whose tests take minutes. */
const REAL = ['faults', 'e2e', 'e2e-1x', 'queue-main'];
/**
 * What takes longest, in an order in which some files always wait for n8n's next minute or for the ends of
 * time limits while others keep the processor busy.
 */
const ORDER = [
	'queue-main mainProcess',
	'e2e recovery',
	'faults registration',
	'e2e repair',
	'e2e singlePackage',
	'e2e unreachable',
	'e2e triggers',
	'e2e-1x repair',
	'faults registrationRestart',
	'faults registrationKill',
	'e2e firstUser',
	'e2e dev',
	'e2e problems',
	'context actionsErrors',
	'e2e update',
	'e2e egress',
	'context badInput',
	'e2e templatesLists',
	'context unpublish',
	'e2e templatesTables',
	'context registration',
];

/**
 * Jest's own order (what failed, then what took longest, then what is largest), with the tests of a
 * real n8n first. Jest knows how long a file took only where it ran before, and never in a new clone.
 */
module.exports = class RealFirst extends Sequencer {
	sort(tests) {
		return [...super.sort(tests)].sort((a, b) => rank(a) - rank(b));
	}
};

/** @returns the place in ORDER, then the other tests of a real n8n, then the rest */
function rank({ context, path }) {
	const project = context.config.displayName.name;
	const place = ORDER.indexOf(`${project} ${basename(path, '.test.ts')}`);
	if (place !== -1) return place;
	return ORDER.length + (REAL.includes(project) ? 0 : 1);
}
