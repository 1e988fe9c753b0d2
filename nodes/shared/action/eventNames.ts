import { settingsError } from '../errors';
import { ALL_EVENTS, canonicalEvent } from '../events';
import type { ActionCall, EventFact, Provider } from '../provider';

/** The most suggestions in one message. */
const MAX_SUGGESTED = 3;
/** Characters of a name that are compared with others. */
const MAX_COMPARED = 60;

/**
 * The events that a parameter names: by their names, by their labels in the editor, or several separated by spaces.
 * @throws NodeOperationError for one that the provider does not have, with those that may be meant
 */
export function eventNames(
	{ context, provider }: Pick<ActionCall, 'context' | 'provider'>,
	written: readonly string[],
): string[] {
	return written
		.map((text) => text.trim())
		.filter((text) => text !== '')
		.flatMap((text) => {
			const whole = eventNamed(provider, text);
			if (whole !== undefined) return [whole];
			const parts = text.split(/\s+/).map((part) => eventNamed(provider, part));
			const names = parts.filter((name) => name !== undefined);
			if (names.length === parts.length) return names;
			throw unknownEvent(context, provider, text);
		});
}

/** If no event of the provider is documented, any name may be one. */
function eventNamed(provider: Provider, text: string): string | undefined {
	const plain = text.toLowerCase();
	if (text === ALL_EVENTS || plain === 'all events') return ALL_EVENTS;
	if (provider.events.length === 0) return text;
	const canonical = canonicalEvent(provider, text);
	return provider.events.find(
		({ name, label }) => name === canonical || label.toLowerCase() === plain,
	)?.name;
}

function unknownEvent(context: ActionCall['context'], provider: Provider, text: string) {
	const { displayName, events } = provider;
	const similar = similarEvents(events, text.slice(0, MAX_COMPARED).toLowerCase());
	const question = similar.length === 0 ? '' : `Did you mean ${similar.join(' or ')}? `;
	const all = events.map(({ name }) => name).join(', ');
	return settingsError(
		context,
		`${displayName} has no event "${text.slice(0, MAX_COMPARED)}"`,
		`${question}Its events are ${all}. A name that is missing here goes into Custom Events`,
	);
}

/** The events whose names and labels have the most similar words; none where too many have. */
function similarEvents(events: readonly EventFact[], text: string): string[] {
	const distances = events.map(({ name, label }) => {
		const words = wordsIn(`${name} ${label.toLowerCase()}`);
		const toNearest = (word: string) => Math.min(...words.map((other) => distance(word, other)));
		return { name, far: wordsIn(text).reduce((sum, word) => sum + toNearest(word), 0) };
	});
	const nearest = Math.min(...distances.map(({ far }) => far));
	const found = distances.filter(({ far }) => far === nearest).map(({ name }) => name);
	return nearest > text.length / 2 || found.length > MAX_SUGGESTED ? [] : found;
}

function wordsIn(text: string): string[] {
	return text.split(/[^a-z0-9]+/).filter((word) => word !== '');
}

/** How many letters have to be added, left out or replaced to turn one word into the other (Levenshtein). */
function distance(left: string, right: string): number {
	let row = Array.from({ length: right.length + 1 }, (_, index) => index);
	for (const [index, letter] of [...left].entries()) {
		const next = [index + 1];
		for (const [at, other] of [...right].entries()) {
			const replaced = (row[at] ?? 0) + (letter === other ? 0 : 1);
			next.push(Math.min(replaced, (row[at + 1] ?? 0) + 1, (next[at] ?? 0) + 1));
		}
		row = next;
	}
	return row[right.length] ?? 0;
}
