/** URLs as text. */

/** The variable for n8n's public address. n8n before 2.30 knows only the old name; newer ones prefer the new one. */
export const ADDRESS_VARIABLE = 'N8N_WEBHOOK_URL (WEBHOOK_URL in n8n 1.x and before 2.30)';

/** @returns undefined for a text that is not a URL */
export function parseUrl(text: string): URL | undefined {
	try {
		return new URL(text);
	} catch {
		return undefined;
	}
}

/** Whether `text` is an http(s) URL that requests can be sent to. */
export function isHttpUrl(text: string): boolean {
	const protocol = parseUrl(text)?.protocol;
	return protocol === 'https:' || protocol === 'http:';
}

/** Longer than any URL that providers accept. It keeps checks cheap, which compare each URL of an account. */
const MAX_URL_LENGTH = 2_000;

/**
 * Whether two URLs lead to the same place, however they are written: host in capitals, default port, trailing slash,
 * percent-encoding that is not needed. URLs of more than 2,000 characters have to be written alike.
 */
export function sameUrl(left: string, right: string): boolean {
	if (left === right) return true;
	if (left.length > MAX_URL_LENGTH || right.length > MAX_URL_LENGTH) return false;
	const normalise = (text: string) => {
		const url = parseUrl(text);
		if (url === undefined) return text;
		const { origin, pathname, search } = url;
		return `${origin}${decodeUnreserved(`${withoutSlashesAtEnd(pathname)}${search}`)}`;
	};
	return normalise(left) === normalise(right);
}

/** Percent-encoding in one form: in capitals, and only where it makes a difference (RFC 3986, 6.2.2). */
function decodeUnreserved(text: string): string {
	return text.replace(/%[0-9a-f]{2}/gi, (code) => {
		const letter = String.fromCharCode(Number.parseInt(code.slice(1), 16));
		return /[\w.~-]/.test(letter) ? letter : code.toUpperCase();
	});
}

/** Characters. */
const MAX_SHOWN = 200;

/** An address as a message may show it: without the name and password that a URL can hold, and not too long. */
export function addressForMessage(address: string): string {
	const shown = withoutUserInfo(address);
	return shown.length > MAX_SHOWN ? `${shown.slice(0, MAX_SHOWN)}…` : shown;
}

/** An address without the name and password that a URL can hold. */
export function withoutUserInfo(address: string): string {
	const url = parseUrl(address);
	// In a text that is not a URL, a password may hold even a slash; without a scheme, the name looks like one.
	if (url === undefined || url.host === '') return address.replace(/^(\w+:\/\/)?.*@/s, '$1');
	if (url.username === '' && url.password === '') return address;
	url.username = '';
	url.password = '';
	return url.href;
}

/** The address of a path below a Base URL, however the two are written. */
export function urlBelow(baseUrl: string, path: string): string {
	return `${withoutSlashesAtEnd(baseUrl)}/${path.replace(/^\/+/, '')}`;
}

/**
 * An id as a segment of a path.
 *
 * @returns undefined for `.` and `..`, which name another resource there, and for half of a character, which cannot be
 *   encoded
 */
export function pathSegment(id: string): string | undefined {
	return /^\.{1,2}$|\p{Surrogate}/u.test(id) ? undefined : encodeURIComponent(id);
}

export function withoutSlashesAtEnd(text: string): string {
	let end = text.length;
	while (text.endsWith('/', end)) end -= 1;
	return text.slice(0, end);
}
