/** What a control of the sandbox answered. */
export type Outcome<T> = { answer: T } | { error: string };

/** Calls the control API of the sandbox that this page is from. */
export async function control<T = unknown>(
	method: 'GET' | 'POST' | 'PATCH' | 'DELETE',
	path: string,
	body?: object,
): Promise<Outcome<T>> {
	try {
		const response = await fetch(`/_control${path}`, {
			method,
			...(body === undefined
				? {}
				: { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
		});
		if (response.ok) {
			const answer: T = await response.json();
			return { answer };
		}
		return { error: await reason(response) };
	} catch {
		return { error: 'The sandbox does not answer.' };
	}
}

interface Refusal {
	error: string;
	issues?: Array<{ field: string; message: string }>;
}

async function reason(response: Response): Promise<string> {
	const { error, issues = [] }: Refusal = await response.json();
	return [error, ...issues.map(({ field, message }) => `${field}: ${message}`)].join('; ');
}

/** The path of an endpoint in the control API. */
export function endpointPath({ provider, id }: { provider: string; id: string }): string {
	return `/endpoints/${provider}/${encodeURIComponent(id)}`;
}
