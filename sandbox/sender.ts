import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ComposedDelivery } from './delivery';
import { post } from './httpPost';
import type { ObservedAttempt, Observer } from './observer';
import type { Provider } from './provider';
import type { Routes } from './routes';
import type { Behaviour, DeliveryAttempt, DeliveryRecord, SandboxEndpoint, Tried } from './types';

/** A delivery to one receiver. */
export interface DeliveryJob {
	provider: Provider;
	delivery: ComposedDelivery;
	url: string;
	secret: string | undefined;
	/** Absent for a manually registered URL. */
	endpoint?: SandboxEndpoint;
	retry: boolean;
	behaviour: Partial<Behaviour>;
	/** Called when a try is over. */
	onTry?: (tried: Tried) => void;
}

/** A longer log drops its oldest entries that have ended. */
const LONGEST_LOG = 20_000;

/** Sends deliveries, tries again as the provider does, and keeps the log. */
export class Sender {
	private records: DeliveryRecord[] = [];
	private readonly pending = new Set<Promise<DeliveryRecord>>();
	private stop = endOfAll();

	constructor(
		private readonly timeScale: number,
		private readonly routes: Routes,
		/** Whether the provider still delivers to an endpoint. */
		private readonly isLive: (endpoint: SandboxEndpoint) => boolean,
		private readonly observer: Observer,
	) {}

	log(): readonly DeliveryRecord[] {
		return this.records;
	}

	/** Resolves when the delivery has arrived or was given up; never rejects. */
	async send(job: DeliveryJob): Promise<DeliveryRecord> {
		const record: DeliveryRecord = {
			id: job.delivery.id,
			provider: job.provider.id,
			event: job.delivery.event,
			url: job.url,
			attempts: [],
			state: 'pending',
			...(job.endpoint ? { endpointId: job.endpoint.id } : {}),
		};
		this.records.push(record);
		if (this.records.length > LONGEST_LOG) {
			const oldest = this.records.findIndex(({ state }) => state !== 'pending');
			if (oldest !== -1) this.records.splice(oldest, 1);
		}

		const run = this.run(job, record, this.stop.signal);
		this.pending.add(run);
		try {
			return await run;
		} finally {
			this.pending.delete(run);
		}
	}

	/** Resolves when nothing is pending, deliveries that start meanwhile included. */
	async settled(): Promise<void> {
		while (this.pending.size > 0) await Promise.all(this.pending);
	}

	/** Fails what is pending and forgets the log. */
	reset(): void {
		this.stop.abort(new Error('the stand-in was reset or closed'));
		this.stop = endOfAll();
		this.records = [];
	}

	private async run(
		job: DeliveryJob,
		record: DeliveryRecord,
		stopped: AbortSignal,
	): Promise<DeliveryRecord> {
		const { retry } = job.provider;
		const waits = job.retry ? retry.delaysSeconds : [];
		let elapsedSeconds = 0;

		for (let tries = 0; ; tries += 1) {
			const observed = observe(job, record);
			const attempt = await this.attempt(job, observed, stopped);
			record.attempts.push(attempt);
			observed.result = attempt;
			if (stopped.aborted) break;
			const delivered = isSuccess(attempt);
			this.countFailure(job, delivered);
			const wait = waits[tries];
			if (delivered || wait === undefined) {
				record.state = delivered ? 'delivered' : 'failed';
				if (!delivered) this.giveUp(job, record, elapsedSeconds);
				this.tell(job, observed);
				return record;
			}
			elapsedSeconds += wait;
			const waitMs = wait * 1000 * this.timeScale;
			observed.retry = { at: Date.now() + waitMs, left: waits.length - tries };
			this.tell(job, observed);
			await sleep(waitMs, undefined, { signal: stopped }).catch(() => {});
			delete observed.retry;
			this.observer.emit('attempt', observed);
			if (stopped.aborted || (job.endpoint && !this.isLive(job.endpoint))) break;
		}
		record.state = 'failed';
		return record;
	}

	private tell({ onTry }: DeliveryJob, observed: ObservedAttempt): void {
		const { delivery, retry } = observed;
		this.observer.emit('attempt', observed);
		onTry?.({ delivery, ...(retry === undefined ? {} : { retry }) });
	}

	private async attempt(
		job: DeliveryJob,
		observed: ObservedAttempt,
		stopped: AbortSignal,
	): Promise<DeliveryAttempt> {
		const { at } = observed;
		const startedAt = performance.now();
		const abort = new AbortController();
		const onStop = () => abort.abort(stopped.reason);
		stopped.addEventListener('abort', onStop, { once: true });
		const seconds = job.provider.retry.timeoutSeconds;
		const timer = setTimeout(
			() => abort.abort(new Error(`no complete answer within ${seconds} s`)),
			seconds * 1000,
		);
		try {
			const target = this.routes.resolve(job.endpoint?.url ?? job.url);
			const headers = job.delivery.headers({
				secret: job.secret,
				signedAtMs: at,
				behaviour: job.behaviour,
				...(job.endpoint ? { endpointId: job.endpoint.id } : {}),
			});
			observed.headers = { Host: target.host, ...headers };
			this.observer.emit('attempt', observed);
			const answer = await post({
				url: target.url,
				headers: observed.headers,
				body: job.delivery.body,
				signal: abort.signal,
			});
			return { at, status: answer.status, responseBody: answer.body, durationMs: since(startedAt) };
		} catch (error) {
			return { at, error: reason(error), durationMs: since(startedAt) };
		} finally {
			clearTimeout(timer);
			stopped.removeEventListener('abort', onStop);
		}
	}

	private countFailure({ endpoint, provider }: DeliveryJob, delivered: boolean): void {
		if (!endpoint) return;
		endpoint.consecutiveFailures = delivered ? 0 : endpoint.consecutiveFailures + 1;
		const most = provider.retry.disableAfterFailures;
		if (most !== undefined && endpoint.consecutiveFailures >= most) endpoint.active = false;
	}

	private giveUp(job: DeliveryJob, record: DeliveryRecord, elapsedSeconds: number): void {
		const span = job.provider.retry.disableAfterServerErrorSeconds;
		if (!job.endpoint || span === undefined || elapsedSeconds < span) return;
		if (record.attempts.every(({ status }) => status !== undefined && status >= 500)) {
			job.endpoint.active = false;
		}
	}
}

function observe({ delivery }: DeliveryJob, record: DeliveryRecord): ObservedAttempt {
	return {
		delivery: record,
		number: record.attempts.length + 1,
		at: Date.now(),
		body: delivery.body,
		headers: {},
		...(delivery.tamper === undefined ? {} : { tamper: delivery.tamper }),
	};
}

/** Every attempt under way listens to it, so many listeners are not a leak. */
function endOfAll(): AbortController {
	const controller = new AbortController();
	setMaxListeners(0, controller.signal);
	return controller;
}

function isSuccess({ status }: DeliveryAttempt): boolean {
	return status !== undefined && status >= 200 && status < 300;
}

function since(startedAt: number): number {
	return Math.round(performance.now() - startedAt);
}

function reason(error: unknown): string {
	if (error instanceof AggregateError) return error.errors.map(reason).join('; ');
	return error instanceof Error ? error.message : String(error);
}
