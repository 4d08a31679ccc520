import type { ITarget } from './contract';

type Price = NonNullable<ITarget['price']>;

/** What one job costs by the catalogue's prices, as the control plane writes it: `12.40 USD`. */
export function costOf(price: Price, circuits: number, shots: number): string {
  const amount =
    price.per_job + price.per_circuit * circuits + price.per_shot * shots;
  return `${amount.toFixed(2)} ${price.currency}`;
}
