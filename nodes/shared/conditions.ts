import type { IDataObject } from 'n8n-workflow';

import { isJsonObject } from './jsonObject';
import { timeOf } from './values';

/**
 * Conditions on the fields of an event, for the option Conditions. They are compared here rather than in expressions:
 * n8n starts an isolate for an expression, which takes longer than all the rest of a delivery.
 */

/** How a field is compared. */
interface Operator {
	/** What it is called in the editor. */
	readonly name: string;
	readonly description: string;
	/** Which values it can compare with; none where it needs no value. */
	readonly takes?: { readonly title: string; readonly includes: (value: string) => boolean };
	/** @param found what the event has there; undefined where it lacks the field */
	readonly holds: (found: unknown, value: string) => boolean;
}

const ANY_VALUE = { title: 'a value', includes: (value: string) => value.trim() !== '' };
const LIST = {
	title: 'values, separated by commas',
	includes: (values: string) => entriesOf(values).length > 0,
};
const NUMBER_OR_TIME = {
	title: 'a number or an ISO 8601 time',
	includes: (value: string) =>
		numberOf(value) !== undefined || (timeOf(value) !== undefined && hasRealDay(value)),
};

/** The operator that holds where another one does not. A field that an event lacks matches neither. */
function opposite(name: string, description: string, { takes, holds }: Operator): Operator {
	return {
		name,
		description,
		...(takes === undefined ? {} : { takes }),
		holds: (found, value) => !holds(found, value),
	};
}

const beginsWith: Operator = {
	name: 'Begins With',
	description: 'The text begins with the value',
	takes: ANY_VALUE,
	holds: (found, value) => foldedTextOf(found)?.startsWith(fold(value)) === true,
};
const contains: Operator = {
	name: 'Contains',
	description: 'The text contains the value, or the list has it',
	takes: ANY_VALUE,
	holds: (found, value) =>
		Array.isArray(found)
			? found.some((entry) => isSame(entry, value))
			: foldedTextOf(found)?.includes(fold(value)) === true,
};
const equals: Operator = {
	name: 'Equals',
	description: 'The field equals the value',
	takes: ANY_VALUE,
	holds: isSame,
};
const isOneOf: Operator = {
	name: 'Is One Of',
	description: 'The text or number is one of the values, which are separated by commas',
	takes: LIST,
	holds: (found, values) => entriesOf(values).some((value) => isSame(found, value)),
};

/** The operators by the names that a workflow stores. */
export const OPERATORS = {
	beginsWith,
	contains,
	notBeginsWith: opposite(
		'Does Not Begin With',
		'The text does not begin with the value',
		beginsWith,
	),
	notContains: opposite(
		'Does Not Contain',
		'The text does not contain the value, or the list does not have it',
		contains,
	),
	notEquals: opposite('Does Not Equal', 'The field does not equal the value', equals),
	notExists: {
		name: 'Does Not Exist',
		description: 'The event does not have the field, or it is null',
		holds: (found) => found === undefined,
	},
	equals,
	exists: {
		name: 'Exists',
		description: 'The event has the field, and it is not null',
		holds: (found) => found !== undefined,
	},
	greater: {
		name: 'Is Greater Than',
		description: 'The number is greater, or the time later, than the value',
		takes: NUMBER_OR_TIME,
		holds: (found, value) => difference(found, value) > 0,
	},
	less: {
		name: 'Is Less Than',
		description: 'The number is less, or the time earlier, than the value',
		takes: NUMBER_OR_TIME,
		holds: (found, value) => difference(found, value) < 0,
	},
	notOneOf: opposite(
		'Is Not One Of',
		'The text or number is none of the values, which are separated by commas',
		isOneOf,
	),
	isOneOf,
} as const satisfies Readonly<Record<string, Operator>>;

export type OperatorName = keyof typeof OPERATORS;

/** The entry in the list of fields for a path that the user types. */
export const OTHER_FIELD = 'other';

/** What an event has to hold to start a run. */
export interface Condition {
	/** Where in the item, e.g. `data.campaign.id`. */
	readonly path: readonly string[];
	readonly operator: OperatorName;
	readonly value: string;
}

/** Reads the rows of the option Conditions. @returns the conditions, or what is wrong with the first unusable row */
export function readConditions(option: unknown): Condition[] | string {
	if (option === undefined) return [];
	const rows = isJsonObject(option) ? option['rows'] : null;
	if (rows === undefined) return [];
	if (!Array.isArray(rows)) return 'Conditions are not a list of rows';
	const read = rows.map((row: unknown, index) => readRow(row, `Condition ${index + 1}`));
	return (
		read.find((row) => typeof row === 'string') ?? read.filter((row) => typeof row !== 'string')
	);
}

function readRow(row: unknown, title: string): Condition | string {
	const { field, path: typed, operator, value } = isJsonObject(row) ? row : {};
	const written = textOf(field === OTHER_FIELD ? typed : field) ?? '';
	if (written.trim() === '') return `${title} names no field`;
	const path = pathOf(written);
	if (path === undefined) {
		return `${title}: "${written}" is not a path such as data.campaign.id or data.tags[0]. A path begins with ${TOP.join(', ')}`;
	}
	if (!isOperatorName(operator)) {
		return `${title} needs an operator, one of: ${Object.keys(OPERATORS).join(', ')}`;
	}
	const { name, takes }: Operator = OPERATORS[operator];
	const text = textOf(value) ?? '';
	if (takes?.includes(text) === false) return `${title}: "${name}" needs ${takes.title}`;
	return { path, operator, value: text };
}

/**
 * Describes the first condition that an event does not meet, for the provider's log: without values.
 * @returns undefined if all are met
 */
export function unmetCondition(
	conditions: readonly Condition[],
	item: IDataObject,
): string | undefined {
	for (const [index, { path, operator, value }] of conditions.entries()) {
		const found = fieldAt(item, path);
		const isLacking = found === undefined && operator !== 'notExists';
		if (!isLacking && OPERATORS[operator].holds(found, value)) continue;
		const place = path.join('.');
		const lacking = isLacking ? `the event has no ${place}` : place;
		return `condition ${index + 1} is not met: ${lacking}`;
	}
	return undefined;
}

/** What a path can begin with: the fields of an event, but not what came with its delivery (headers, verification). */
const TOP = [
	'event',
	'recipient',
	'occurredAt',
	'data',
	'deliveryId',
	'provider',
	'product',
	'payload',
];
/** A key of an object, or an index in brackets, or a key that holds dots in brackets and quotes. */
const STEP = /(?:^|\.)([^.[\]]+)|\[(\d+)\]|\["([^"]*)"\]/y;

/** @returns undefined for a text that is not a path, or that begins with a field no item has */
function pathOf(written: string): string[] | undefined {
	const text = withoutExpression(written);
	if (text.startsWith('.')) return undefined;
	const path: string[] = [];
	for (let at = 0; at < text.length; at = STEP.lastIndex) {
		STEP.lastIndex = at;
		const [, key, index, quoted] = STEP.exec(text) ?? [];
		const step = key?.trim() ?? index ?? quoted;
		if (step === undefined || step === '') return undefined;
		path.push(step);
	}
	return TOP.includes(path[0] ?? '') ? path : undefined;
}

/** Strips what surrounds a path that was copied from an expression. */
function withoutExpression(written: string): string {
	const plain = written.trim().replace(/^=/, '');
	const inside = plain.startsWith('{{') && plain.endsWith('}}') ? plain.slice(2, -2) : plain;
	return inside.trim().replace(/^\$json(?:\.|(?=\[))/, '');
}

/** @returns undefined where the item has no such field, or it is null */
function fieldAt(item: IDataObject, path: readonly string[]): unknown {
	let found: unknown = item;
	for (const step of path) {
		if (typeof found !== 'object' || found === null || !Object.hasOwn(found, step))
			return undefined;
		found = Reflect.get(found, step);
	}
	return found ?? undefined;
}

function entriesOf(values: string): string[] {
	return values.split(',').filter((value) => value.trim() !== '');
}

function isOperatorName(value: unknown): value is OperatorName {
	return typeof value === 'string' && Object.hasOwn(OPERATORS, value);
}

/** Text, and numbers, true and false as text. */
function textOf(value: unknown): string | undefined {
	if (typeof value === 'string') return value;
	return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined;
}

/** Text as it is compared: upper and lower case, blanks around it, and how accents are encoded make no difference. */
function fold(text: string): string {
	return text.normalize('NFC').toLowerCase().trim();
}

function foldedTextOf(value: unknown): string | undefined {
	const text = textOf(value);
	return text === undefined ? undefined : fold(text);
}

/** Whether a field holds a value. */
function isSame(found: unknown, value: string): boolean {
	if (typeof found === 'number') return found === numberOf(value);
	return foldedTextOf(found) === fold(value);
}

/** Below 0 where a number is less, or a time earlier; NaN where the two cannot be compared. */
function difference(found: unknown, value: string): number {
	const [one, other] = [numberOf(found), numberOf(value)];
	if (one !== undefined && other !== undefined) return one - other;
	return (timeOf(found) ?? Number.NaN) - (timeOf(value) ?? Number.NaN);
}

/** Whether a day exists that a value begins with: `Date` reads 30 February as 2 March. */
function hasRealDay(value: string): boolean {
	const [day] = /^\d{4}-\d\d-\d\d/.exec(value.trim()) ?? [];
	return day === undefined || new Date(day).toISOString().startsWith(day);
}

function numberOf(value: unknown): number | undefined {
	if (typeof value === 'number') return value;
	if (typeof value !== 'string' || value.trim() === '') return undefined;
	const number = Number(value);
	return Number.isFinite(number) ? number : undefined;
}
