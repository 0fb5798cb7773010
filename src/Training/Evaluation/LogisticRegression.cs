namespace SaferGuard.Training.Evaluation;

/// <summary>A weighted, L2-regularised logistic regression over a handful of dense features.</summary>
public sealed record LogisticRegression(IReadOnlyList<double> Weights, double Intercept)
{
    private const int MaxSteps = 100;
    private const double Tolerance = 1e-10;

    public double Logit(ReadOnlySpan<double> x)
    {
        var sum = Intercept;
        for (var i = 0; i < x.Length; i++) sum += Weights[i] * x[i];
        return sum;
    }

    public double Probability(ReadOnlySpan<double> x) => 1 / (1 + Math.Exp(-Logit(x)));

    /// <summary>
    /// Minimises sum(w · log loss) + l2 / 2 · |weights|² by Newton's method (iteratively reweighted least squares), halving a step
    /// that does not descend. The intercept is not regularised.
    /// </summary>
    /// <param name="x">(rows, features)</param>
    /// <param name="l2">Above 0, so that separable rows have a finite solution.</param>
    /// <exception cref="ArgumentException">Sizes differ, or only one label has weight.</exception>
    public static LogisticRegression Fit(double[][] x, bool[] y, double[] weights, double l2)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(l2);
        if (x.Length != y.Length || x.Length != weights.Length) throw new ArgumentException("Rows, labels and weights differ in number.");
        if (!HasWeight(true) || !HasWeight(false)) throw new ArgumentException("Both labels are needed.");

        var features = x[0].Length;
        var beta = new double[features + 1]; // the intercept is last
        var loss = Loss(beta);
        for (var step = 0; step < MaxSteps; step++)
        {
            var direction = NewtonDirection(beta);
            var scale = 1.0;
            double[] next;
            double nextLoss;
            do
            {
                next = [.. beta.Zip(direction, (b, d) => b - scale * d)];
                nextLoss = Loss(next);
                scale /= 2;
            }
            while (nextLoss > loss && scale > Tolerance);

            if (!(nextLoss < loss)) break;
            var gain = loss - nextLoss;
            (beta, loss) = (next, nextLoss);
            if (gain <= Tolerance * loss) break;
        }

        return new LogisticRegression(beta[..features], beta[features]);

        bool HasWeight(bool label) => Enumerable.Range(0, y.Length).Any(i => y[i] == label && weights[i] > 0);

        double Logit(double[] b, double[] row)
        {
            var sum = b[features];
            for (var i = 0; i < features; i++) sum += b[i] * row[i];
            return sum;
        }

        double Loss(double[] b)
        {
            var sum = l2 / 2 * b.Take(features).Sum(w => w * w);
            for (var r = 0; r < x.Length; r++) sum += weights[r] * SoftPlus(y[r] ? -Logit(b, x[r]) : Logit(b, x[r]));
            return sum;
        }

        double[] NewtonDirection(double[] b)
        {
            var gradient = new double[features + 1];
            var hessian = new double[features + 1, features + 1]; // lower triangle
            for (var r = 0; r < x.Length; r++)
            {
                var p = 1 / (1 + Math.Exp(-Logit(b, x[r])));
                var error = weights[r] * (p - (y[r] ? 1 : 0));
                var curvature = weights[r] * p * (1 - p);
                for (var i = 0; i <= features; i++)
                {
                    var xi = i < features ? x[r][i] : 1;
                    gradient[i] += error * xi;
                    for (var j = 0; j <= i; j++) hessian[i, j] += curvature * xi * (j < features ? x[r][j] : 1);
                }
            }

            for (var i = 0; i < features; i++)
            {
                gradient[i] += l2 * b[i];
                hessian[i, i] += l2;
            }

            // Rows that are all decided have no curvature left; the intercept still needs some.
            hessian[features, features] += Tolerance;
            return Solve(hessian, gradient);
        }
    }

    /// <summary>log(1 + exp(z)) without overflow.</summary>
    internal static double SoftPlus(double z) => Math.Max(z, 0) + Math.Log(1 + Math.Exp(-Math.Abs(z)));

    /// <summary>Solves A x = b for a symmetric positive definite A, given by its lower triangle, by Cholesky factors in place.</summary>
    private static double[] Solve(double[,] a, double[] b)
    {
        var n = b.Length;
        for (var i = 0; i < n; i++)
        {
            for (var j = 0; j <= i; j++)
            {
                var sum = a[i, j];
                for (var k = 0; k < j; k++) sum -= a[i, k] * a[j, k];
                a[i, j] = i == j ? Math.Sqrt(Math.Max(sum, double.Epsilon)) : sum / a[j, j];
            }
        }

        var x = (double[])b.Clone();
        for (var i = 0; i < n; i++)
        {
            for (var k = 0; k < i; k++) x[i] -= a[i, k] * x[k];
            x[i] /= a[i, i];
        }

        for (var i = n - 1; i >= 0; i--)
        {
            for (var k = i + 1; k < n; k++) x[i] -= a[k, i] * x[k];
            x[i] /= a[i, i];
        }

        return x;
    }
}
