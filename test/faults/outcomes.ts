/** What became of one scenario. */
export interface Outcome {
	readonly title: string;
	readonly step: string;
	readonly call: string;
	readonly group: string;
	readonly fault: string;
	/** n8n reported the step as failed; otherwise the step succeeded despite the fault. */
	readonly refused: boolean;
	/** What was wrong after one clean publish. */
	readonly problems: readonly string[];
}

/** One row for each trigger, step, call and group of faults, then every scenario that went wrong. */
export function figures(outcomes: readonly Outcome[]): string[][] {
	const rows = new Map<string, Outcome[]>();
	for (const outcome of outcomes) {
		const { title, step, call, group } = outcome;
		const key = JSON.stringify([title, step, call, group]);
		rows.set(key, [...(rows.get(key) ?? []), outcome]);
	}
	const wrong = outcomes.filter(({ problems }) => problems.length > 0);
	return [
		['trigger', 'step', 'call', 'fault', 'scenarios', 'step failed', 'well in the end'],
		...[...rows.values()].flatMap((group) => group.slice(0, 1).map((one) => row(one, group))),
		row({ title: 'all', step: '', call: '', group: '' }, outcomes),
		...wrong.map(({ title, step, call, fault, problems }) => [
			`WRONG: ${title}`,
			step,
			call,
			fault,
			problems.join('; '),
		]),
	];
}

function row(
	{ title, step, call, group }: Pick<Outcome, 'title' | 'step' | 'call' | 'group'>,
	scenarios: readonly Outcome[],
): string[] {
	const count = (counts: (outcome: Outcome) => boolean) => String(scenarios.filter(counts).length);
	return [
		title,
		step,
		call,
		group,
		count(() => true),
		count(({ refused }) => refused),
		count(({ problems }) => problems.length === 0),
	];
}
