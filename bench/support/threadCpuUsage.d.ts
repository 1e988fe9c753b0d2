/** Since Node 23.9; the types here are those of the oldest Node the project runs on. */
declare namespace NodeJS {
	interface Process {
		/** Processor time of this thread, in microseconds. */
		threadCpuUsage(): CpuUsage;
	}
}
