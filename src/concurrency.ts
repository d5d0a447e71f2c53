/**
 * Runs tasks side by side. When one fails, the others' signal aborts, all are waited
 * for, and the first failure is thrown; so nothing goes on behind the caller's back.
 */
export async function runTogether<T extends readonly unknown[]>(
  signal: AbortSignal,
  tasks: { readonly [K in keyof T]: (signal: AbortSignal) => Promise<T[K]> },
): Promise<T> {
  const stop = new AbortController();
  const joined = AbortSignal.any([signal, stop.signal]);
  let failure: { readonly error: unknown } | undefined;
  const guarded = tasks.map(async (task) => {
    try {
      return await task(joined);
    } catch (error) {
      failure ??= { error };
      stop.abort();
      return undefined;
    }
  });
  const results = await Promise.all(guarded);
  if (failure) throw failure.error;
  return results as unknown as T;
}
