/** See guard.cjs. */
export function guardGroup(groupId: number, removeFolder: string | undefined): () => void;
