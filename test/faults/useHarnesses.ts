import { afterAll } from '@jest/globals';

import type { N8nHost } from '../../testkit/n8n-host/driver';
import { LAZY_ISOLATES } from '../../testkit/n8n-host/isolates';
import { printFigures } from '../figures';
import { useN8nAlone } from '../useN8n';
import { Harness } from './harness';
import { figures, type Outcome } from './outcomes';
import type { Step, UserStep } from './steps';
import { variants, type Variant } from './variants';

/** Settings of an n8n that many harnesses share. */
const MANY_AT_ONCE = {
	// A workflow whose provider does not answer must not keep the others waiting at a start.
	N8N_WORKFLOW_ACTIVATION_BATCH_SIZE: '1000',
	...LAZY_ISOLATES,
};

/**
 * Starts an n8n for the harnesses of a test file, and prints at the end what became of its scenarios.
 *
 * @param keep - gets n8n before the first test
 * @returns takes the outcomes
 */
export function useHarnesses(title: string, keep: (n8n: N8nHost) => void): Outcome[] {
	const outcomes: Outcome[] = [];
	// With the publication service, a restart calls no provider and what was killed is not tried again.
	useN8nAlone(keep, { env: MANY_AT_ONCE, publicationService: false });
	afterAll(async () => {
		printFigures(title, figures(outcomes));
		await Harness.closeAll();
	}, 60_000);
	return outcomes;
}

/** Every variant with each of the steps: the rows of a test, which begin with the names of both. */
export function rowsOf<S extends Step>(steps: readonly S[]): Array<[string, string, Variant, S]> {
	return variants.flatMap((variant) =>
		steps.map((step): [string, string, Variant, S] => [variant.title, step.name, variant, step]),
	);
}

/** A harness that has come to where the step begins. */
export async function prepare(n8n: N8nHost, variant: Variant, step: Step): Promise<Harness> {
	const harness = await Harness.start(n8n, variant);
	await step.prepare(harness);
	harness.begin();
	return harness;
}

/** The calls that a step makes when nothing fails. */
export async function callsOf(n8n: N8nHost, variant: Variant, step: UserStep): Promise<string[]> {
	const harness = await prepare(n8n, variant, step);
	await step.run(harness);
	const calls = harness.calls();
	await harness.unpublish();
	return calls;
}
