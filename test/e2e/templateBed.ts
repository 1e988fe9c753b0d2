import { afterAll, afterEach, beforeAll, beforeEach } from '@jest/globals';

import { Collector, TemplateHost } from './templateHost';

/** What the tests of a file work with: one n8n for all, and another system for each. */
export interface TemplateBed {
	readonly host: TemplateHost;
	readonly collector: Collector;
	/** The address of the collector. */
	readonly address: string;
}

/** Starts and ends it around the tests of the file that calls this. */
export function templateBed(): TemplateBed {
	let host: TemplateHost | undefined;
	let other: { collector: Collector; address: string } | undefined;

	beforeAll(async () => {
		host = await TemplateHost.start();
	}, 600_000);

	afterAll(async () => {
		await host?.stop();
	}, 60_000);

	beforeEach(async () => {
		const collector = new Collector();
		other = { collector, address: await collector.open() };
	});

	afterEach(async () => {
		await other?.collector.close();
	});

	return {
		get host() {
			return running(host);
		},
		get collector() {
			return running(other).collector;
		},
		get address() {
			return running(other).address;
		},
	};
}

function running<T>(part: T | undefined): T {
	if (part === undefined) throw new Error('It is there only while a test runs');
	return part;
}
