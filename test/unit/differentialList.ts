import { flawOf } from '../../nodes/shared/secretText';
import { isText, type Trial } from './differentialReferences';

/** An intended difference from a reference. Any other difference fails the test. */
export interface Difference {
	readonly name: string;
	readonly reason: string;
	readonly applies: (trial: Trial) => boolean | Promise<boolean>;
}

/** We refuse what a reference accepts. */
export const stricter: readonly Difference[] = [
	{
		name: 'signed in the future',
		reason: "Metigan's and Misar's SDKs refuse both directions; stripe-node refuses old ones only",
		applies: ({ options, ...trial }) =>
			options.toleranceSeconds > 0 &&
			timesOf(trial).some(
				(time) => PLAIN.test(time) && Number(time) > options.now / 1000 + options.toleranceSeconds,
			),
	},
	{
		name: 'too old by less than a second',
		reason:
			'the age is measured to the millisecond; the references drop what is less than a second',
		applies: ({ options, ...trial }) =>
			timesOf(trial).some((time) => {
				const late = options.now / 1000 - Number(time) - options.toleranceSeconds;
				return late > 0 && late < 1;
			}),
	},
	{
		name: 'repeated time',
		reason: 'with two times nobody can tell which one was checked; the references take one of them',
		applies: (trial) => timesOf(trial).length > 1 || Array.isArray(trial.timestamp),
	},
	{
		name: 'time not written as plain seconds',
		reason:
			'the references read as many digits as they find: 0123, +123, 123abc, NaN, milliseconds',
		applies: (trial) => timesOf(trial).some((time) => !PLAIN.test(time)),
	},
	{
		name: 'more behind a signature',
		reason: 'a signature is 64 digits and nothing else; the references ignore what follows = or ,',
		applies: ({ signature }) => /[0-9a-f]{64}[=,]x/.test(String(signature)),
	},
	{
		name: 'repeated signature header',
		reason: 'no provider sends it twice: whoever added the other one may not be the provider',
		applies: ({ signature }) => /^\s*[0-9a-f]{64}, [0-9a-f]{64}\s*$/.test(String(signature)),
	},
	{
		name: 'body that is no UTF-8',
		reason:
			'signed were other bytes: the references replace what they cannot read, then verify that',
		applies: ({ request }) => !isText(request.rawBody),
	},
	{
		name: 'body that starts with a digit',
		reason: 'it may be the time and body of a timestamped signature, replayed without its time',
		applies: ({ request, scheme }) =>
			scheme.kind === 'hmac' &&
			scheme.signed === 'body' &&
			/^\d/.test(request.rawBody.toString('latin1', 0, 1)),
	},
	{
		name: 'text that is no secret',
		reason: 'a blank, masked or public text is none: anybody could sign with it',
		applies: ({ options }) =>
			options.secrets.some((secret) => secret !== '' && flawOf(secret) !== undefined),
	},
];

/** We accept what a reference refuses, because the providers' documents do. */
export const documented: readonly Difference[] = [
	{
		name: 'white space around a header, or between its elements',
		reason: "HTTP carries none around a value (RFC 9110, 5.5); Metigan's SDK splits elements at it",
		applies: async ({ ask }) =>
			(await ask((value) => value.trim())) === 'accepts' ||
			(await ask((value) =>
				value
					.trim()
					.split(/[\s,]+/)
					.join(','),
			)) === 'accepts',
	},
	{
		name: 'empty signature beside the right one',
		reason: "Metigan's SDK: any v1= that matches; stripe-node fails over an empty one before it",
		applies: async ({ ask }) =>
			(await ask((value) =>
				elementsOf(value)
					.filter((part) => part !== 'v1=')
					.join(','),
			)) === 'accepts',
	},
	{
		name: 'decimal time',
		reason: "MisarMail's SDK 5 reads the header as a decimal number, and signs it as it is written",
		applies: ({ timestamp }) => /^\s*\d{10}\.5\s*$/.test(String(timestamp)),
	},
];

const PLAIN = /^(?:0|[1-9]\d{0,11})$/;

/** The times of a delivery as they are written. */
function timesOf({ signature, timestamp }: Pick<Trial, 'signature' | 'timestamp'>): string[] {
	if (timestamp !== undefined) return String(timestamp).trim().split(/, ?/);
	return elementsOf(String(signature))
		.filter((element) => element.startsWith('t='))
		.map((element) => element.slice('t='.length));
}

function elementsOf(value: string): string[] {
	return value.trim().split(/[\s,]+/);
}
