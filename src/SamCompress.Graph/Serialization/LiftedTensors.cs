using System.Buffers.Binary;
using System.Security.Cryptography;
using Google.Protobuf;

namespace SamCompress.IR.Serialization;

/// <summary>
/// The tensor bytes that are not in a skeleton. In their place the skeleton has a token: a nonce that no file can foresee, and
/// a number. The token never reaches a file.
/// </summary>
internal sealed class LiftedTensors
{
    private const int NonceLength = 16;

    /// <summary>Smaller raw data stays in the skeleton: it costs less than its bookkeeping.</summary>
    public const int Threshold = 1024;

    public const int TokenLength = NonceLength + sizeof(int);

    private readonly byte[] _nonce;
    private readonly List<(long Length, Action<Stream> Write)> _bodies;

    public LiftedTensors()
    {
        _nonce = RandomNumberGenerator.GetBytes(NonceLength);
        _bodies = [];
    }

    /// <summary>A table that knows every token of <paramref name="other"/>; additions do not touch it.</summary>
    public LiftedTensors(LiftedTensors other)
    {
        _nonce = other._nonce;
        _bodies = [.. other._bodies];
    }

    public ByteString Add(long length, Action<Stream> write)
    {
        var token = new byte[TokenLength];
        _nonce.CopyTo(token, 0);
        BinaryPrimitives.WriteInt32LittleEndian(token.AsSpan(NonceLength), _bodies.Count);
        _bodies.Add((length, write));
        return UnsafeByteOperations.UnsafeWrap(token);
    }

    /// <summary>The number in a token, or -1 when the bytes are no token of this table.</summary>
    public int Find(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length != TokenLength || !bytes[..NonceLength].SequenceEqual(_nonce))
            return -1;
        return BinaryPrimitives.ReadInt32LittleEndian(bytes[NonceLength..]);
    }

    public long Length(int number) => _bodies[number].Length;

    public void Write(int number, Stream destination) => _bodies[number].Write(destination);
}
