using SamCompress.IR;

namespace SamCompress.Passes.Pruning;

/// <summary>Whether a constant is the weight of a layer, and an axis of it the layer's output.</summary>
internal static class WeightRole
{
    public static (bool IsWeight, bool IsOutput) Of(Use use, int axis)
    {
        Node node = use.Node;
        int rank = node.Input(use.InputIndex)!.Shape!.Rank;
        bool isWeight = node.Domain.Length == 0 && use.InputIndex == 1 && node.OpType switch
        {
            "MatMul" or "Gemm" => rank == 2,
            "Conv" or "ConvTranspose" => true,
            _ => false,
        };
        return (isWeight, isWeight && axis == OutputAxis(node));
    }

    /// <summary>The axis of the weight of a layer along which its outputs are.</summary>
    private static int OutputAxis(Node layer) => layer.OpType switch
    {
        "Conv" => 0,
        "Gemm" => layer.GetInt("transB", 0) != 0 ? 0 : 1,
        _ => 1,
    };
}
