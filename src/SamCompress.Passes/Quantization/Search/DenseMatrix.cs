using System.Numerics;
using System.Runtime.InteropServices;
using Tp = System.Numerics.Tensors.TensorPrimitives;

namespace SamCompress.Passes.Quantization.Search;

/// <summary>The matrix products that scale search and rounding need, on row-major spans.</summary>
internal static class DenseMatrix
{
    private const int Tile = 64;

    /// <summary>c[m, n] += a[m, k] b[k, n]; with <paramref name="negate"/> it is subtracted.</summary>
    public static void MultiplyAdd(ReadOnlySpan<float> a, ReadOnlySpan<float> b, Span<float> c, int m, int k, int n, bool negate = false)
    {
        for (int k0 = 0; k0 < k; k0 += Tile)
        {
            int kEnd = Math.Min(k0 + Tile, k);
            int i = 0;
            for (; i + 4 <= m; i += 4)
                FourRows(a, b, c, i, k0, kEnd, k, n, negate);
            for (; i < m; i++)
            {
                for (int p = k0; p < kEnd; p++)
                    Tp.MultiplyAdd(b.Slice(p * n, n), negate ? -a[(i * k) + p] : a[(i * k) + p], c.Slice(i * n, n), c.Slice(i * n, n));
            }
        }
    }

    /// <summary>Four rows of c at a time, so that each row of b that is read serves four products.</summary>
    private static void FourRows(ReadOnlySpan<float> a, ReadOnlySpan<float> b, Span<float> c, int i, int k0, int kEnd, int k, int n, bool negate)
    {
        int width = Vector<float>.Count;
        float sign = negate ? -1 : 1;
        Span<float> c0 = c.Slice(i * n, n), c1 = c.Slice((i + 1) * n, n), c2 = c.Slice((i + 2) * n, n), c3 = c.Slice((i + 3) * n, n);
        ReadOnlySpan<float> a0 = a.Slice(i * k, k), a1 = a.Slice((i + 1) * k, k), a2 = a.Slice((i + 2) * k, k), a3 = a.Slice((i + 3) * k, k);
        int j = 0;
        for (; j + (2 * width) <= n; j += 2 * width)
        {
            Vector<float> s00 = new(c0[j..]), s01 = new(c0[(j + width)..]), s10 = new(c1[j..]), s11 = new(c1[(j + width)..]);
            Vector<float> s20 = new(c2[j..]), s21 = new(c2[(j + width)..]), s30 = new(c3[j..]), s31 = new(c3[(j + width)..]);
            ref float first = ref MemoryMarshal.GetReference(b);
            for (int p = k0; p < kEnd; p++)
            {
                Vector<float> b0 = Vector.LoadUnsafe(ref first, (nuint)((p * n) + j)), b1 = Vector.LoadUnsafe(ref first, (nuint)((p * n) + j + width));
                Vector<float> x0 = new(sign * a0[p]), x1 = new(sign * a1[p]), x2 = new(sign * a2[p]), x3 = new(sign * a3[p]);
                s00 = Vector.FusedMultiplyAdd(x0, b0, s00);
                s01 = Vector.FusedMultiplyAdd(x0, b1, s01);
                s10 = Vector.FusedMultiplyAdd(x1, b0, s10);
                s11 = Vector.FusedMultiplyAdd(x1, b1, s11);
                s20 = Vector.FusedMultiplyAdd(x2, b0, s20);
                s21 = Vector.FusedMultiplyAdd(x2, b1, s21);
                s30 = Vector.FusedMultiplyAdd(x3, b0, s30);
                s31 = Vector.FusedMultiplyAdd(x3, b1, s31);
            }

            s00.CopyTo(c0[j..]);
            s01.CopyTo(c0[(j + width)..]);
            s10.CopyTo(c1[j..]);
            s11.CopyTo(c1[(j + width)..]);
            s20.CopyTo(c2[j..]);
            s21.CopyTo(c2[(j + width)..]);
            s30.CopyTo(c3[j..]);
            s31.CopyTo(c3[(j + width)..]);
        }

        for (; j < n; j++)
        {
            for (int p = k0; p < kEnd; p++)
            {
                float x = sign * b[(p * n) + j];
                c0[j] += a0[p] * x;
                c1[j] += a1[p] * x;
                c2[j] += a2[p] * x;
                c3[j] += a3[p] * x;
            }
        }
    }
}
