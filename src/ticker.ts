import { useEffect, useState } from 'react';

const listeners = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;

/** Call back each second, at the same moment for everybody, so that no two countdowns on screen differ. */
export function onTick(listener: () => void): () => void {
  listeners.add(listener);
  timer ??= setInterval(() => listeners.forEach(tell => tell()), 1000);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) {
      clearInterval(timer);
      timer = undefined;
    }
  };
}

/** Render again each second while `isRunning`. */
export function useTick(isRunning: boolean): void {
  const [, render] = useState(0);
  useEffect(
    () => (isRunning ? onTick(() => render(count => count + 1)) : undefined),
    [isRunning]
  );
}
