/** The addresses deliveries may really be sent to: this machine. */
const LOOPBACK = /^(localhost|.+\.localhost|127(\.\d{1,3}){3}|\[::1\])$/;

/** Maps registered origins to real ones, like a hosts file. */
export class Routes {
	private table: ReadonlyMap<string, string>;

	constructor(private readonly initial: Readonly<Record<string, string>> = {}) {
		this.table = this.start();
	}

	/** Both are origins, e.g. `https://n8n.example.test`; throws for anything else. */
	set(from: string, to: string): void {
		this.table = new Map(this.table).set(origin(from), origin(to));
	}

	reset(): void {
		this.table = this.start();
	}

	/**
	 * The URL to connect to and the Host header that goes with the registered one. Throws when the target
	 * is not on this machine: the sandbox must not send made-up events to the internet.
	 */
	resolve(registered: string): { url: URL; host: string } {
		const url = new URL(registered);
		const routed = this.table.get(url.origin);
		const target = routed === undefined ? url : new URL(`${routed}${url.pathname}${url.search}`);
		if (!LOOPBACK.test(target.hostname)) {
			throw new Error(`no route for ${url.origin}: the stand-in delivers to this machine only`);
		}
		return { url: target, host: url.host };
	}

	private start(): ReadonlyMap<string, string> {
		return new Map(Object.entries(this.initial).map(([from, to]) => [origin(from), origin(to)]));
	}
}

function origin(text: string): string {
	return new URL(text).origin;
}
