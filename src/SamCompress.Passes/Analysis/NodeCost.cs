namespace SamCompress.Passes.Analysis;

/// <summary>What a multiply-accumulate operation is for.</summary>
public enum MacKind
{
    /// <summary>Convolutions, and matrix products with a constant operand.</summary>
    Linear,

    /// <summary>Matrix products of two activations: queries with keys, probabilities with values.</summary>
    Attention,

    /// <summary>Products of an activation with a constant position table that end in the logits of an attention.</summary>
    RelativePosition,
}

/// <summary>What one node costs in one run of the model; the nodes of a loop's body cost the sum of all trips.</summary>
/// <param name="Node">Name and operator.</param>
/// <param name="Kind">Null for a node without multiply-accumulate operations.</param>
/// <param name="Parameters">Trained elements that the node is the first to read.</param>
/// <param name="OutputBytes">Bytes of the activations it makes; a view makes none.</param>
/// <param name="MovedBytes">Inputs and weights read, outputs written.</param>
/// <param name="Runs">The trips of the loops around the node.</param>
public sealed record NodeCost(string Node, string OpType, MacKind? Kind, long Macs, long Parameters, long OutputBytes, long MovedBytes, long Runs);

/// <summary>An activation and how much memory it takes.</summary>
/// <param name="Shape">For example <c>[12,4096,4096]</c>.</param>
public sealed record TensorCost(string Name, string Type, string Shape, long Bytes);
