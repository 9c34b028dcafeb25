/**
 * Symmetric matrices as their lower triangle, row by row: entry (row, column ≤ row) is at row · (row + 1) / 2 + column. Half the memory and
 * half the bytes on the wire of a square.
 */

/** How many numbers a matrix of that size takes. */
export const triangle = (size: number): number => (size * (size + 1)) / 2

/** matrix += factor · x xᵀ. */
export function addOuter(matrix: Float64Array, x: Float64Array, factor = 1): void {
  let at = 0
  for (let row = 0; row < x.length; row++) {
    const scaled = factor * (x[row] ?? 0)
    for (let column = 0; column <= row; column++, at++) matrix[at] = (matrix[at] ?? 0) + scaled * (x[column] ?? 0)
  }
}

/**
 * The lower factor L with L Lᵀ = matrix + ridge · I, into `out` (Cholesky–Banachiewicz; Golub and Van Loan, Matrix Computations, 4.2). A
 * pivot that rounding has made too small is taken to be a thousandth of the ridge: the direction then counts as hardly known.
 */
export function cholesky(matrix: Float64Array, ridge: number, size: number, out: Float64Array): void {
  for (let row = 0, start = 0; row < size; start += ++row)
    for (let column = 0, top = 0; column <= row; top += ++column) {
      let sum = (matrix[start + column] ?? 0) + (row === column ? ridge : 0)
      for (let k = 0; k < column; k++) sum -= (out[start + k] ?? 0) * (out[top + k] ?? 0)
      out[start + column] = row === column ? Math.sqrt(Math.max(sum, ridge / 1000)) : sum / (out[top + column] ?? 1)
    }
}

/** Solves L y = b, into `out`; its squared length is bᵀ (L Lᵀ)⁻¹ b. */
export function forward(factor: Float64Array, b: Float64Array, out: Float64Array): void {
  for (let row = 0, start = 0; row < b.length; start += ++row) {
    let sum = b[row] ?? 0
    for (let k = 0; k < row; k++) sum -= (factor[start + k] ?? 0) * (out[k] ?? 0)
    out[row] = sum / (factor[start + row] ?? 1)
  }
}

/** Solves Lᵀ z = y in place. */
export function backward(factor: Float64Array, y: Float64Array): void {
  for (let row = y.length - 1; row >= 0; row--) {
    let sum = y[row] ?? 0
    for (let k = row + 1; k < y.length; k++) sum -= (factor[triangle(k) + row] ?? 0) * (y[k] ?? 0)
    y[row] = sum / (factor[triangle(row) + row] ?? 1)
  }
}
