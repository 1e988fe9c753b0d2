/** Phrases that a reader has to decode. Say what happens instead. */
const WORN = [
	/\brooms?\b/i,
	/\bhouse\b/i,
	/\bvouch/i,
	/\bmend(?:s|ed|ing)?\b/i,
	/\b(?:brought|brings?|bringing) (?:\S+ ){0,3}in line\b/i,
	/\b(?:has|have|with|own) (?:no )?words\b/i,
	/\bstands? (?:against|behind)\b/i,
	/\bhalf-ma(?:de|kes)\b/i,
	/\bcharges much\b/i,
	/\bwithout what happened\b/i,
	/\btells? (?:of|time)\b/i,
];

/** The worn phrases in a text, outside of `code` and “quoted titles”. */
export function wornWords(text: string): string[] {
	const prose = text.replaceAll(/```[^]*?```|`[^`\n]+`|“[^”]+”/g, '');
	return WORN.flatMap((pattern) => pattern.exec(prose)?.[0] ?? []);
}
