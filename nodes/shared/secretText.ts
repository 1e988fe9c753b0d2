import { settingsError, type NodeContext } from './errors';

/** Why a text entered as a secret is not one. Anybody could sign with such a text. */
export type Flaw = 'empty' | 'masked' | 'public';

/**
 * What n8n puts in place of a secret that it hides. When a filled field is turned into an expression, this text can be
 * saved in the credential. It is the same in every version of n8n (`n8n-workflow`, constants.ts).
 */
const N8N_PLACEHOLDERS = [
	'__n8n_BLANK_VALUE_e5362baf-c777-4d57-a609-6eaf1f9e87f6',
	'__n8n_EMPTY_VALUE_7b1af746-3729-4c60-9b9b-e08eb29e58da',
];
/** What providers and dashboards put in place of characters that they hide. */
const MASK = /[•●∙…⋯＊∗]|x{4}$|([^\p{L}\p{N}])\1{2}|^(.)\2{3,}$/iu;
/** Placeholders: of this package's fields, of documents, and what expressions return that find nothing. */
const PUBLIC =
	/^(?:e\.g\..*|(?:[a-z]+_)+|(?:[a-z]+_)?your[\s_-].*|leave empty.*|only while.*|<.*>|change[\s_-]?me|undefined|null|nan|\[object object\]|4f9c2ab8e1d7)$/isu;
/** What is easily copied along with a secret: white space, control and invisible characters, and quotes. */
const FRINGE = /[\s\p{Z}\p{C}"'`“”‘’„‚«»‹›]/u;

/** Why a text is not a secret; undefined if it is one. Everything that signs or verifies uses this rule. */
export function flawOf(text: string): Flaw | undefined {
	const bare = withoutFringe(text);
	if (bare === '' || N8N_PLACEHOLDERS.includes(bare)) return 'empty';
	if (MASK.test(bare)) return 'masked';
	return PUBLIC.test(bare) ? 'public' : undefined;
}

/** The secrets that a text may stand for: itself, and without what was copied along. None if it is not a secret. */
export function formsOf(secret: string): readonly string[] {
	if (flawOf(secret) !== undefined) return [];
	return hasFringe(secret) ? [secret, withoutFringe(secret)] : [secret];
}

/** Whether a secret begins or ends with white space, a quote or an invisible character. */
export function hasFringe(secret: string): boolean {
	return withoutFringe(secret) !== secret;
}

function withoutFringe(text: string): string {
	const characters = [...text];
	const isInside = (character: string) => !FRINGE.test(character);
	const start = characters.findIndex(isInside);
	if (start === -1) return '';
	const after = [...characters].reverse().findIndex(isInside);
	return characters.slice(start, characters.length - after).join('');
}

/** What is wrong with a text that was entered as a secret; undefined also for an empty one. */
export function objectionTo(
	field: string,
	text: string,
): { readonly message: string; readonly whatToDo: string } | undefined {
	switch (flawOf(text)) {
		case 'masked':
			return {
				message: `The ${field} is masked`,
				whatToDo:
					'This is what a dashboard shows in place of the secret. Copy the secret itself, with the copy button, or generate a new one',
			};
		case 'public':
			return {
				message: `The ${field} is a placeholder`,
				whatToDo: 'It is not a secret. Enter the real one',
			};
		case 'empty':
		case undefined:
			return undefined;
	}
}

/** @throws NodeOperationError if a text entered as a secret is masked or a placeholder */
export function requireSecret(context: NodeContext, field: string, text: string): void {
	const objection = objectionTo(field, text);
	if (objection !== undefined) throw settingsError(context, objection.message, objection.whatToDo);
}
