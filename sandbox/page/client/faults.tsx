import { useState } from 'preact/hooks';
import type { Account, CatalogueEntry, WaitingFault } from '../types.js';
import { control } from './api.js';
import { NumberInput, Select } from './fields.js';
import type { Tell } from './notice.js';

interface FaultsProps {
	account: Account;
	providers: readonly CatalogueEntry[];
	tell: Tell;
}

interface OfferedFault {
	id: string;
	label: string;
	body: { kind: WaitingFault['kind']; status?: number; delayMs?: number };
}

const offered: readonly OfferedFault[] = [
	{ id: 'rateLimit', label: '429, too many requests', body: { kind: 'rateLimit' } },
	{ id: 'status', label: '500, internal error', body: { kind: 'status', status: 500 } },
	{ id: 'delay', label: 'slow: the true answer after 5 s', body: { kind: 'delay', delayMs: 5000 } },
	{ id: 'html', label: 'garbage: an HTML page (502)', body: { kind: 'html' } },
	{ id: 'truncate', label: 'garbage: half an answer', body: { kind: 'truncate' } },
	{ id: 'empty', label: 'garbage: 200 without a body', body: { kind: 'empty' } },
	{ id: 'drop', label: 'the connection ends', body: { kind: 'drop' } },
	{ id: 'hang', label: 'no answer at all', body: { kind: 'hang' } },
	{ id: 'planRefusal', label: 'refused: not in the plan', body: { kind: 'planRefusal' } },
	{ id: 'scopeRefusal', label: 'refused: the key may not', body: { kind: 'scopeRefusal' } },
];

/** The label of the choice; a fault that was set from a terminal may have none. */
function wordsFor({ kind, status, delayMs }: WaitingFault): string {
	const same = offered.find(
		({ body }) => body.kind === kind && body.status === status && body.delayMs === delayMs,
	);
	if (same !== undefined) return same.label;
	const more = [status && `status ${status}`, delayMs && `after ${delayMs} ms`].filter(Boolean);
	return [kind, ...more].join(', ');
}

/** Makes the providers' APIs answer badly. */
export function Faults({ account, providers, tell }: FaultsProps) {
	const [provider, setProvider] = useState('');
	const [kind, setKind] = useState('rateLimit');
	const [times, setTimes] = useState(1);
	const titleOf = (id: string | undefined) =>
		providers.find((entry) => entry.provider === id)?.title ?? 'any provider';

	async function add(): Promise<void> {
		const fault = offered.find(({ id }) => id === kind);
		const calls = times === 1 ? 'API call' : `${times} API calls`;
		const outcome = await control('POST', '/faults', {
			...fault?.body,
			times,
			...(provider === '' ? {} : { provider }),
		});
		tell(
			outcome,
			`The next ${calls} of ${titleOf(provider)} will be answered with: ${fault?.label ?? kind}.`,
		);
	}

	return (
		<section aria-labelledby="faults">
			<h2 id="faults">Answer API calls badly</h2>
			<form
				onSubmit={(submitted) => {
					submitted.preventDefault();
					void add();
				}}
			>
				<Select id="fault-provider" label="API of" value={provider} onChange={setProvider}>
					<option value="">any provider</option>
					{providers.map(({ provider: id, title }) => (
						<option key={id} value={id}>
							{title}
						</option>
					))}
				</Select>
				<Select id="fault-kind" label="Answer" value={kind} onChange={setKind}>
					{offered.map(({ id, label }) => (
						<option key={id} value={id}>
							{label}
						</option>
					))}
				</Select>
				<NumberInput
					id="fault-times"
					label="For the next calls"
					min={1}
					max={1000}
					value={times}
					onChange={setTimes}
				/>
				<div class="buttons">
					<button type="submit">Set the fault</button>
					<button
						type="button"
						onClick={() => {
							void control('DELETE', '/faults').then((outcome) =>
								tell(outcome, 'All faults are cleared.'),
							);
						}}
					>
						Clear all
					</button>
				</div>
			</form>
			<ul aria-label="Faults that wait for calls">
				{account.faults.map((fault, index) => (
					<li key={index}>
						{titleOf(fault.provider)}: {wordsFor(fault)}, for the next{' '}
						{fault.times === 1 ? 'call' : `${fault.times} calls`}
					</li>
				))}
			</ul>
		</section>
	);
}
