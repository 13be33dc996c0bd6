using System.Collections.Frozen;
using SamCompress.IR;

namespace SamCompress.Testing.Reference;

/// <summary>The operators that <see cref="ReferenceEvaluator"/> knows.</summary>
public static class ReferenceOperators
{
    private static readonly FrozenDictionary<string, Func<ReferenceCall, IReadOnlyList<ReferenceTensor>>> ByName = All();

    /// <summary>The names of the operators, those of other domains with them.</summary>
    public static IReadOnlyCollection<string> Names => ByName.Keys;

    internal static Func<ReferenceCall, IReadOnlyList<ReferenceTensor>> Of(Node node) =>
        ByName.GetValueOrDefault(node.Domain.Length == 0 ? node.OpType : $"{node.Domain}.{node.OpType}") ?? throw new NotSupportedException($"no reference of {node}");

    private static FrozenDictionary<string, Func<ReferenceCall, IReadOnlyList<ReferenceTensor>>> All()
    {
        var operators = new Dictionary<string, Func<ReferenceCall, IReadOnlyList<ReferenceTensor>>>();
        ElementwiseReference.AddTo((name, compute) => operators.Add(name, call => [compute(call)]));
        MovementReference.AddTo((name, compute) => operators.Add(name, call => [compute(call)]));
        IndexingReference.AddTo((name, compute) => operators.Add(name, call => [compute(call)]));
        LinearReference.AddTo((name, compute) => operators.Add(name, call => [compute(call)]));
        ConvolutionReference.AddTo((name, compute) => operators.Add(name, call => [compute(call)]));
        ReductionReference.AddTo((name, compute) => operators.Add(name, call => [compute(call)]));
        operators.Add("Dropout", Dropout);
        operators.Add("Resize", call => [ResizeReference.Resize(call)]);
        operators.Add("Split", MovementReference.Split);
        operators.Add("LayerNormalization", NormalizationReference.LayerNormalization);
        operators.Add("BatchNormalization", call => [NormalizationReference.BatchNormalization(call)]);
        return operators.ToFrozenDictionary();
    }

    /// <summary>The input, and a mask that keeps everything.</summary>
    private static IReadOnlyList<ReferenceTensor> Dropout(ReferenceCall call)
    {
        if (call.Optional(2) is { Data: not [0] })
            throw call.Unsupported("training");
        return [call[0], ElementwiseReference.Map(call[0], _ => 1) with { Type = ElementType.Bool }];
    }
}
