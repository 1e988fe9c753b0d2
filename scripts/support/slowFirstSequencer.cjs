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
	'e2e repair',
	'e2e recovery',
	'faults lostState',
	'e2e unreachable',
	'e2e singlePackage',
	'faults registration',
	'e2e triggers',
	'e2e answerAfterRun',
	'faults registrationRestart',
	'e2e-1x lostState',
	'queue-main lostState',
	'e2e-1x repair',
	'e2e dev',
	'faults starts',
	'faults registrationKill',
	'e2e firstUser',
	'faults noFreeSlot',
	'e2e-1x answerAfterRun',
	'faults reverseProxy',
	'e2e-1x noFreeSlot',
	'e2e update',
	'e2e problems',
	'e2e-1x starts',
	'queue-main killedRuns',
	'e2e egress',
	'e2e templatesLists',
	'e2e templatesTables',
	'context endpointAnswers',
	'context ownership',
	'context actionsErrors',
	'context endpointWatch',
	'context unpublish',
	'context recoveryLists',
	'context badInput',
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
