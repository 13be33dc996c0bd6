using System.Globalization;
using System.Security.Cryptography;

namespace SamCompress.IR.Text;

/// <summary>What is shown in place of the elements of a big tensor. The same bytes give the same text on every machine.</summary>
internal static class TensorSummary
{
    public static string Of(Tensor tensor)
    {
        if (tensor is MissingTensor)
            return "data missing";
        string hash = Hash(tensor);
        return Numbers(tensor) is { } numbers ? $"sha256 {hash}, {numbers}" : $"sha256 {hash}";
    }

    private static string Hash(Tensor tensor)
    {
        using var sha = SHA256.Create();
        using (var stream = new CryptoStream(Stream.Null, sha, CryptoStreamMode.Write))
        {
            if (tensor.ElementType == ElementType.String)
                WriteStrings(tensor, stream);
            else
                tensor.CopyTo(stream);
        }

        return Convert.ToHexStringLower(sha.Hash!)[..12];
    }

    /// <summary>Each string with its length before it.</summary>
    private static void WriteStrings(Tensor tensor, Stream stream)
    {
        foreach (Google.Protobuf.ByteString element in tensor.Shell!.StringData)
        {
            stream.Write(BitConverter.GetBytes(element.Length));
            stream.Write(element.Span);
        }
    }

    private static string? Numbers(Tensor tensor)
    {
        if (tensor.ElementType is ElementType.String or ElementType.Complex64 or ElementType.Complex128)
            return null;
        using TensorLease lease = tensor.Open();
        return tensor.ElementType switch
        {
            ElementType.Float => Statistics(lease.As<float>(), v => v),
            ElementType.Double => Statistics(lease.As<double>(), v => v),
            ElementType.Float16 => Statistics(lease.As<Half>(), v => (double)v),
            ElementType.BFloat16 => Statistics(lease.As<ushort>(), v => BitConverter.UInt32BitsToSingle((uint)v << 16)),
            ElementType.Int64 => Statistics(lease.As<long>(), v => v),
            ElementType.UInt64 => Statistics(lease.As<ulong>(), v => v),
            ElementType.Int32 => Statistics(lease.As<int>(), v => v),
            ElementType.UInt32 => Statistics(lease.As<uint>(), v => v),
            ElementType.Int16 => Statistics(lease.As<short>(), v => v),
            ElementType.UInt16 => Statistics(lease.As<ushort>(), v => v),
            ElementType.Int8 => Statistics(lease.As<sbyte>(), v => v),
            ElementType.UInt8 or ElementType.Bool => Statistics(lease.As<byte>(), v => v),
            ElementType.Int4 or ElementType.UInt4 or ElementType.Int2 or ElementType.UInt2 =>
                Statistics<long>(TensorText.Unpack(tensor.ElementType, lease.Bytes, tensor.Count), v => v),
            _ => null,
        };
    }

    private static string Statistics<T>(ReadOnlySpan<T> elements, Func<T, double> widen)
    {
        double minimum = double.PositiveInfinity;
        double maximum = double.NegativeInfinity;
        double sum = 0;
        long finite = 0;
        foreach (T element in elements)
        {
            double value = widen(element);
            if (!double.IsFinite(value))
                continue;
            minimum = Math.Min(minimum, value);
            maximum = Math.Max(maximum, value);
            sum += value;
            finite++;
        }

        string text = finite == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $"min {minimum:G6}, max {maximum:G6}, mean {sum / finite:G6}");
        return finite == elements.Length
            ? text
            : string.Create(CultureInfo.InvariantCulture, $"{text}{(finite == 0 ? "" : ", ")}{elements.Length - finite} not finite");
    }
}
