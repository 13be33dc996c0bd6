using SamCompress.IR;

namespace SamCompress.Passes.Cleanup;

/// <summary>Keeps one of several initializers with the same type, shape and bytes.</summary>
/// <remarks>Exact. Only tensors up to 16 KiB are compared: bigger ones are weights, which are not read for this.</remarks>
public sealed class EliminateDuplicateInitializers : Pass
{
    private const long MostBytes = 16 << 10;

    public override int Apply(Model model, PassContext context)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(context);
        int changes = 0;
        foreach (Graph graph in Constants.GraphsOf(model))
        {
            var kept = new Dictionary<TensorContent, Value>();
            foreach (Value value in graph.Initializers)
            {
                if (value is not { Constant: { ElementType: not ElementType.String, ByteLength: <= MostBytes } tensor, IsGraphOutput: false, Uses: [var use, ..] })
                    continue;
                var content = TensorContent.Of(tensor);
                if (kept.TryAdd(content, value) || !context.Step(use.Node, $"initializer '{value.Name}' is '{kept[content].Name}'"))
                    continue;
                value.ReplaceUsesWith(kept[content]);
                changes++;
            }
        }

        return changes;
    }
}

/// <summary>A small tensor compared by type, shape and bytes.</summary>
internal sealed class TensorContent : IEquatable<TensorContent>
{
    private readonly ElementType _type;
    private readonly long[] _dimensions;
    private readonly byte[] _bytes;
    private readonly int _hash;

    private TensorContent(ElementType type, long[] dimensions, byte[] bytes)
    {
        _type = type;
        _dimensions = dimensions;
        _bytes = bytes;
        var hash = new HashCode();
        hash.Add(type);
        hash.Add(dimensions.Length);
        hash.AddBytes(bytes);
        _hash = hash.ToHashCode();
    }

    public static TensorContent Of(Tensor tensor)
    {
        using TensorLease lease = tensor.Open();
        return new TensorContent(tensor.ElementType, [.. tensor.Dimensions], lease.Bytes.ToArray());
    }

    public bool Equals(TensorContent? other) =>
        other is not null && _hash == other._hash && _type == other._type && _dimensions.AsSpan().SequenceEqual(other._dimensions) && _bytes.AsSpan().SequenceEqual(other._bytes);

    public override bool Equals(object? obj) => Equals(obj as TensorContent);

    public override int GetHashCode() => _hash;
}
