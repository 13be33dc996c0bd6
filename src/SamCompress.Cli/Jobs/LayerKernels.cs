using SamCompress.Passes.Quantization;
using SamCompress.Runtime.Inference;

namespace SamCompress.Cli.Jobs;

/// <summary>Puts together what was planned for each layer and what ONNX Runtime runs.</summary>
internal static class LayerKernels
{
    /// <param name="kernels">Null when the artifact was not opened.</param>
    public static IReadOnlyList<ReportedLayer> Report(QuantizationPlan plan, KernelReport? kernels) =>
        [.. plan.Layers.Select(layer => Report(layer, kernels))];

    private static ReportedLayer Report(LayerPlan layer, KernelReport? kernels)
    {
        KernelNode? kernel = kernels?.Find(
            layer.SecondInput is null ? [layer.WeightName + "_quantized", layer.WeightName + "_dequantized", layer.WeightName] : [],
            [layer.NodeOutput, layer.NodeOutput + "_product"]);
        bool integer = kernel?.IsIntegerKernel ?? false;
        string? fallback = kernels is null || integer || layer.Execution != LayerExecution.Integer ? null
            : kernel is null ? "ONNX Runtime fused the layer so that it cannot be told which operator runs it"
            : $"ONNX Runtime runs it as {kernel.OpType} in floating point";
        return new ReportedLayer(layer.Name, layer.Kind, layer.Execution, layer.Why, kernel?.OpType, integer, fallback);
    }
}
