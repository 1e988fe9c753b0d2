import { useState } from 'preact/hooks';
import type { AttemptEntry, CallEntry, Entry, CatalogueEntry, Result } from '../types.js';
import { Select } from './fields.js';

interface TimelineProps {
	/** Newest first. */
	entries: readonly Entry[];
	providers: readonly CatalogueEntry[];
}

type TitleOf = (provider: string | undefined) => string;

/** Every delivery and every API call, newest first. */
export function Timeline({ entries, providers }: TimelineProps) {
	const [shown, setShown] = useState('all');
	const titleOf = titlesOf(providers);

	return (
		<section aria-labelledby="timeline" class="timeline">
			<h2 id="timeline" tabIndex={-1}>
				Timeline
			</h2>
			<Select id="shown" label="Show" value={shown} onChange={setShown}>
				<option value="all">deliveries and API calls</option>
				<option value="attempt">deliveries</option>
				<option value="call">API calls</option>
			</Select>
			<div role="log" aria-live="off" aria-label="Deliveries and API calls, newest first">
				<ol>
					{entries
						.filter(({ kind }) => shown === 'all' || kind === shown)
						.map((entry) => (
							<Row key={entry.key} entry={entry} titleOf={titleOf} />
						))}
				</ol>
			</div>
		</section>
	);
}

/** The newest delivery, announced by screen readers; announcing the whole list would never end in a burst. */
export function Newest({ entries, providers }: TimelineProps) {
	const newest = entries.find((entry) => entry.kind === 'attempt');
	return (
		<p role="status" aria-live="polite" class="newest">
			{newest === undefined
				? 'Nothing is delivered yet.'
				: `Newest: ${titlesOf(providers)(newest.provider)}, ${newest.event}: ${outcomeOf(newest).text}`}
		</p>
	);
}

function titlesOf(providers: readonly CatalogueEntry[]): TitleOf {
	return (id) => providers.find(({ provider }) => provider === id)?.title ?? 'No provider';
}

function Row({ entry, titleOf }: { entry: Entry; titleOf: TitleOf }) {
	const [open, setOpen] = useState(false);
	const { text, mood } = outcomeOf(entry);
	return (
		<li>
			<details onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
				<summary>
					<time dateTime={new Date(entry.at).toISOString()}>{clock(entry.at)}</time>{' '}
					<span class={`badge ${mood}`}>{text}</span> <b>{titleOf(entry.provider)}</b>{' '}
					{entry.kind === 'attempt' ? <AttemptLine entry={entry} /> : <CallLine entry={entry} />}
				</summary>
				{open &&
					(entry.kind === 'attempt' ? (
						<AttemptDetail entry={entry} />
					) : (
						<CallDetail entry={entry} />
					))}
			</details>
		</li>
	);
}

function AttemptLine({ entry }: { entry: AttemptEntry }) {
	const { event, tamper, number, result, retry } = entry;
	return (
		<>
			<span>{event}</span>
			{tamper !== undefined && `, forged (${tamper})`}
			{number > 1 && `, try ${number}`}
			{result !== undefined && `, ${result.durationMs} ms`}
			{retry !== undefined && `, next try at ${clock(retry.at)}, ${retry.left} to come`}
		</>
	);
}

function CallLine({ entry: { method, path, result } }: { entry: CallEntry }) {
	return (
		<>
			<code>
				{method} {path}
			</code>
			{result !== undefined && `, ${result.durationMs} ms`}
		</>
	);
}

function AttemptDetail({ entry }: { entry: AttemptEntry }) {
	const { url, deliveryId, endpointId, headers, body, result } = entry;
	return (
		<>
			<dl>
				<dt>Sent to</dt>
				<dd>
					<code>{url}</code> {endpointId === undefined ? '(by hand)' : `(endpoint ${endpointId})`}
				</dd>
				<dt>Delivery</dt>
				<dd>
					<code>{deliveryId}</code>
				</dd>
			</dl>
			<Block
				title="Request"
				text={[
					...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
					'',
					body,
				].join('\n')}
			/>
			<Block title="Answer" text={answerOf(result)} />
		</>
	);
}

function CallDetail({ entry: { body, result } }: { entry: CallEntry }) {
	return (
		<>
			<Block title="Request" text={body ?? 'without a body'} />
			<Block title="Answer" text={answerOf(result)} />
		</>
	);
}

function Block({ title, text }: { title: string; text: string }) {
	return (
		<>
			<h3>{title}</h3>
			<pre tabIndex={0} role="region" aria-label={title}>
				{text}
			</pre>
		</>
	);
}

function answerOf(result: Result | undefined): string {
	if (result === undefined) return 'none yet';
	if (result.status === undefined) return result.error ?? 'none';
	return `${result.status}\n\n${result.body ?? ''}`;
}

function outcomeOf(entry: Entry): { text: string; mood: 'good' | 'bad' | 'open' } {
	if (entry.result === undefined) return { text: 'waiting', mood: 'open' };
	const { status } = entry.result;
	if (status === undefined) return { text: 'no answer', mood: 'bad' };
	return { text: String(status), mood: status >= 200 && status < 300 ? 'good' : 'bad' };
}

/** The time of day, with milliseconds. */
function clock(epochMs: number): string {
	const at = new Date(epochMs);
	return `${at.toLocaleTimeString('en-GB')}.${String(at.getMilliseconds()).padStart(3, '0')}`;
}
