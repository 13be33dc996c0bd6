using System.Buffers;
using System.Buffers.Binary;

namespace SamCompress.IR.Serialization;

/// <summary>Tells by its first bytes what a file is that is no ONNX model. Nothing in it is unpacked or executed.</summary>
internal static class FileSignatures
{
    private const int TarMark = 257;

    /// <param name="head">The first 512 bytes, or all where there are fewer.</param>
    /// <returns>What it is, to stand behind "is", or null.</returns>
    public static string? Name(ReadOnlySpan<byte> head, long length)
    {
        if (head.Length >= 8 && head[4..8].SequenceEqual("ORTM"u8))
            return "an ONNX Runtime .ort file";
        if (head.Length >= 8 && head[4..8].SequenceEqual("TFL3"u8))
            return "a TensorFlow Lite model";
        if (head.StartsWith("PK\x03\x04"u8) || head.StartsWith("PK\x05\x06"u8))
            return "a zip archive (PyTorch checkpoints and TorchScript models are of this kind)";
        if (head.Length >= 2 && head[0] == 0x80 && head[1] is >= 2 and <= 5)
            return "a Python pickle (an old PyTorch checkpoint); it is never executed";
        if (head.StartsWith((ReadOnlySpan<byte>)[0x89, (byte)'H', (byte)'D', (byte)'F']))
            return "an HDF5 file (Keras models are of this kind)";
        if (head.StartsWith((ReadOnlySpan<byte>)[0x93, (byte)'N', (byte)'U', (byte)'M', (byte)'P', (byte)'Y']))
            return "a NumPy array";
        if (head.StartsWith("GGUF"u8))
            return "a GGUF model";
        if (head.StartsWith((ReadOnlySpan<byte>)[0x1F, 0x8B]))
            return "a gzip archive";
        if (head.Length >= TarMark + 5 && head.Slice(TarMark, 5).SequenceEqual("ustar"u8))
            return "a tar archive";
        if (head.StartsWith((ReadOnlySpan<byte>)[0x89, (byte)'P', (byte)'N', (byte)'G']) || head.StartsWith((ReadOnlySpan<byte>)[0xFF, 0xD8, 0xFF]))
            return "a picture";
        return IsSafetensors(head, length) ? "a safetensors file" : null;
    }

    /// <summary>Whether nothing but printable ASCII and white space is in the first bytes; a model begins with a small number.</summary>
    public static bool IsText(ReadOnlySpan<byte> head) => head.IndexOfAnyExcept(Printable) < 0;

    private static SearchValues<byte> Printable { get; } =
        SearchValues.Create([.. Enumerable.Range(32, 95).Select(c => (byte)c), (byte)'\t', (byte)'\n', (byte)'\r']);

    /// <summary>
    /// Whether it is the message Model of Core ML: like ONNX it begins with a version, but its network is one of the fields from 200 on, and it has no field 7.
    /// </summary>
    public static unsafe bool IsCoreMl(MappedFile file)
    {
        const int MostFields = 64;
        byte* data = file.Pointer(0, file.Length);
        long position = 0;
        bool found = false;
        for (int i = 0; i < MostFields && position < file.Length; i++)
        {
            if (Number(data, ref position, file.Length) is not { } tag || Number(data, ref position, file.Length) is not { } value)
                return false;
            bool isMessage = (tag & 7) == 2;
            if (tag >> 3 == 7 || (!isMessage && (tag & 7) != 0) || (isMessage && value > (ulong)(file.Length - position)))
                return false;
            if (isMessage)
                position += (long)value;
            found |= isMessage && tag >> 3 is >= 200 and <= 3000;
        }

        return found;
    }

    private static unsafe ulong? Number(byte* data, ref long position, long end)
    {
        ulong value = 0;
        for (int shift = 0; shift < 64 && position < end; shift += 7)
        {
            byte b = data[position++];
            value |= (ulong)(b & 0x7F) << shift;
            if (b < 0x80)
                return value;
        }

        return null;
    }

    /// <summary>The length of a JSON header in eight bytes, and the header. The length may be a lie.</summary>
    private static bool IsSafetensors(ReadOnlySpan<byte> head, long length) =>
        head.Length >= 10 && head[8] == (byte)'{' && head[9] is (byte)'"' or (byte)'}' or (byte)' '
        && (BinaryPrimitives.ReadUInt64LittleEndian(head) <= (ulong)length || head.IndexOf("data_offsets"u8) > 0);
}
