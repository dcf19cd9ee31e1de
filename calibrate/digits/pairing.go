package digits

import "math"

// assignment returns the partner of each row of a square matrix of costs, a
// permutation of the columns with the least total cost. It is the shortest
// augmenting path method (Jonker and Volgenant 1987), of cubic cost.
func assignment(cost [][]float64) []int {
	n := len(cost)
	// Rows and columns are counted from 1; row 0 stands for none. u and v are the
	// dual variables; row[j] is the partner of column j.
	u, v := make([]float64, n+1), make([]float64, n+1)
	row, before := make([]int, n+1), make([]int, n+1)
	least, seen := make([]float64, n+1), make([]bool, n+1)
	for i := 1; i <= n; i++ {
		row[0] = i
		for j := range least {
			least[j], seen[j] = math.Inf(1), false
		}
		j := 0
		for row[j] != 0 {
			seen[j] = true
			next, step := 0, math.Inf(1)
			for k := 1; k <= n; k++ {
				if seen[k] {
					continue
				}
				if reduced := cost[row[j]-1][k-1] - u[row[j]] - v[k]; reduced < least[k] {
					least[k], before[k] = reduced, j
				}
				if least[k] < step {
					step, next = least[k], k
				}
			}
			for k := 0; k <= n; k++ {
				if seen[k] {
					u[row[k]] += step
					v[k] -= step
				} else {
					least[k] -= step
				}
			}
			j = next
		}
		for j != 0 { // flip the path
			row[j] = row[before[j]]
			j = before[j]
		}
	}
	partner := make([]int, n)
	for j := 1; j <= n; j++ {
		partner[row[j]-1] = j - 1
	}
	return partner
}
