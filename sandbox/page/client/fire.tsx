import type { ComponentChildren } from 'preact';
import type { Account, CatalogueEntry } from '../types.js';
import { control } from './api.js';
import { useBody } from './body.js';
import { isPossible, manners, toFireBody, type Draft, type Manner } from './draft.js';
import { Input, NumberInput, Select } from './fields.js';
import type { Tell } from './notice.js';

interface FireFormProps {
	account: Account;
	providers: readonly CatalogueEntry[];
	draft: Draft;
	change(fields: Partial<Draft>): void;
	tell: Tell;
	/** Shown above the button. */
	children: ComponentChildren;
}

/** Moves the keyboard focus to the form. */
export function focusFireForm(): void {
	document.getElementById('event')?.focus();
}

/** Fires an event: which one, with which data, to whom and how. */
export function FireForm({ account, providers, draft, change, tell, children }: FireFormProps) {
	const { provider, event, target, manner } = draft;
	const entry = providers.find((candidate) => candidate.provider === provider);
	const scheme = entry?.schemes.find(({ id }) => id === draft.scheme) ?? entry?.schemes[0];
	const envelope = entry?.envelopes.find(({ id }) => id === draft.envelope) ?? entry?.envelopes[0];
	const documented = entry?.events.some(({ name }) => name === event) ?? false;
	const endpoints = account.endpoints.filter((endpoint) => endpoint.provider === provider);
	const known = ['subscribed', 'url', ...endpoints.map(({ id }) => id)];
	const complete = {
		...draft,
		scheme: scheme?.id ?? '',
		envelope: envelope?.id ?? '',
		target: known.includes(target) ? target : 'subscribed',
		manner: isPossible(manner, scheme) ? manner : 'valid',
	};
	const body = useBody(complete);

	async function fire(): Promise<void> {
		const data = body.read();
		if ('error' in data) {
			tell(data, '');
			return;
		}
		tell(
			await control<{ receivers: number }>('POST', '/fire', toFireBody(complete, data.answer)),
			({ receivers }) =>
				receivers === 0
					? `Nobody is subscribed to ${event}: nothing was sent.`
					: `Fired ${event} at ${receivers} ${receivers === 1 ? 'endpoint' : 'endpoints'}.`,
		);
	}

	return (
		<section aria-labelledby="fire">
			<h2 id="fire">Fire an event</h2>
			<form
				onSubmit={(submitted) => {
					submitted.preventDefault();
					void fire();
				}}
			>
				<Select
					id="provider"
					label="Provider"
					value={provider}
					onChange={(value) => {
						const next = providers.find((candidate) => candidate.provider === value);
						if (next === undefined) return;
						change({
							provider: next.provider,
							event: next.events[0]?.name ?? '',
							target: 'subscribed',
						});
					}}
				>
					{providers.map(({ provider: id, title }) => (
						<option key={id} value={id}>
							{title}
						</option>
					))}
				</Select>
				<Select
					id="event"
					label="Event"
					value={documented ? event : ''}
					onChange={(value) => change({ event: value })}
				>
					{entry?.events.map(({ name }) => (
						<option key={name} value={name}>
							{name}
						</option>
					))}
					<option value="">another name …</option>
				</Select>
				{!documented && (
					<Input
						id="event-name"
						label="Name of the event"
						value={event}
						required
						onChange={(value) => change({ event: value })}
					/>
				)}
				<Select
					id="target"
					label="Send to"
					value={complete.target}
					onChange={(value) => change({ target: value })}
				>
					<option value="subscribed">all endpoints that are subscribed to it</option>
					{endpoints.map(({ id, url }) => (
						<option key={id} value={id}>
							{id} ({url})
						</option>
					))}
					<option value="url">a URL registered by hand</option>
				</Select>
				{complete.target === 'url' && (
					<>
						<Input
							id="url"
							label="Webhook URL"
							value={draft.url}
							required
							onChange={(value) => change({ url: value })}
						/>
						<Input
							id="secret"
							label="Signing secret"
							value={draft.secret}
							hint="The same as in the n8n credential; without it the delivery is not signed."
							onChange={(value) => change({ secret: value })}
						/>
					</>
				)}
				<Select
					id="manner"
					label="How"
					value={complete.manner}
					onChange={(value) => change({ manner: mannerOf(value) })}
				>
					{manners.map(([id, label]) => (
						<option key={id} value={id} disabled={!isPossible(id, scheme)}>
							{label}
						</option>
					))}
				</Select>
				<Select
					id="scheme"
					label="Signature scheme"
					value={complete.scheme}
					onChange={(value) => change({ scheme: value })}
				>
					{entry?.schemes.map(({ id }) => (
						<option key={id} value={id}>
							{id}
						</option>
					))}
				</Select>
				<Select
					id="envelope"
					label="Envelope"
					value={complete.envelope}
					onChange={(value) => change({ envelope: value })}
				>
					{entry?.envelopes.map(({ id }) => (
						<option key={id} value={id}>
							{id}
						</option>
					))}
				</Select>
				<div class="row">
					{complete.manner === 'duplicate' && (
						<NumberInput
							id="copies"
							label="Copies"
							min={2}
							max={100}
							value={draft.copies}
							onChange={(copies) => change({ copies })}
						/>
					)}
					<NumberInput
						id="times"
						label="Times"
						min={1}
						max={10_000}
						value={draft.times}
						onChange={(times) => change({ times })}
					/>
					<NumberInput
						id="per-second"
						label="Per second"
						min={1}
						max={1000}
						value={draft.perSecond}
						onChange={(perSecond) => change({ perSecond })}
					/>
				</div>
				<p class="check">
					<input
						id="retry"
						type="checkbox"
						checked={draft.retry}
						onChange={({ currentTarget }) => change({ retry: currentTarget.checked })}
					/>
					<label for="retry">Try again as the provider does (forged events never)</label>
				</p>
				<div class="field">
					<label for="data">Data of the event (JSON)</label>
					<textarea
						id="data"
						rows={10}
						spellcheck={false}
						value={body.text}
						aria-invalid={body.flaw !== undefined}
						aria-describedby="data-flaw"
						onInput={({ currentTarget }) => body.edit(currentTarget.value)}
					/>
					<small id="data-flaw" class="flaw">
						{body.flaw}
					</small>
					<div class="buttons">
						<button type="button" onClick={body.reset}>
							Back to the sample
						</button>
					</div>
				</div>
				<div class="bar">
					{children}
					<div class="buttons">
						<button type="submit" class="main">
							Fire
						</button>
						<button
							type="button"
							onClick={() => {
								void control('DELETE', '/fire').then((outcome) =>
									tell(outcome, 'No more events are fired.'),
								);
							}}
						>
							Stop
						</button>
					</div>
				</div>
			</form>
		</section>
	);
}

function mannerOf(value: string): Manner {
	return manners.find(([id]) => id === value)?.[0] ?? 'valid';
}
