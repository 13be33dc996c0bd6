using System.Runtime.InteropServices;
using SamCompress.IR;
using TensorPrimitives = System.Numerics.Tensors.TensorPrimitives;

namespace SamCompress.Passes.Conversion;

/// <summary>Stores float weights in 16 bits and computes with them in 32: initializer w => Cast(initializer half(w)) to float.</summary>
/// <remarks>
/// Approximate: a weight is off by 2^-11 of itself at most, or 2^-25 when it is smaller than 2^-14. ONNX Runtime casts once, when it opens the model: speed and memory
/// are those of floats, and nothing is computed in 16 bits. Guards: at least 256 elements, all of them finite in 16 bits; no caller can
/// override them; they are no output.
/// </remarks>
public sealed class StoreWeightsAsHalf : Pass
{
    /// <summary>For fewer a node costs more than it saves.</summary>
    private const long FewestElements = 256;

    private static readonly float Greatest = (float)Half.MaxValue;

    public override int Apply(Model model, PassContext context)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(context);
        Graph graph = model.Graph;
        if (graph.Nodes.FirstOrDefault() is not { } first)
            return 0;
        int changes = 0;
        foreach (Value weight in graph.Initializers.Where(v => v.Constant is { ElementType: ElementType.Float, Count: >= FewestElements } && v.Uses.Count > 0 && !v.IsGraphOutput).ToArray())
        {
            Tensor wide = weight.Constant!;
            if (!Fits(wide))
            {
                context.Report("SC4301", Severity.Warning, weight.Name, "stays in 32 bits: it has a value that 16 bits do not hold");
                continue;
            }

            if (!context.Step(weight.Uses[0].Node, $"store '{weight.Name}' in 16 bits"))
                break;
            Value half = graph.AddInitializer(graph.FreshName(weight.Name + "_half"), Tensor.Lazy(ElementType.Float16, wide.Dimensions.AsSpan(), bytes => Narrow(wide, bytes)));
            Value cast = graph.InsertBefore(first, "Cast", [half], [graph.FreshName(weight.Name + "_float")], [NodeAttribute.Of("to", (long)ElementType.Float)]).Output;
            (cast.ElementType, cast.Shape) = (ElementType.Float, weight.Shape);
            weight.ReplaceUsesWith(cast);
            changes++;
        }

        graph.RemoveUnusedInitializers();
        return changes;
    }

    private static bool Fits(Tensor tensor)
    {
        using TensorLease lease = tensor.Open();
        // A NaN is not under the bound either.
        bool fits = MathF.Abs(TensorPrimitives.MaxMagnitude(lease.As<float>())) <= Greatest;
        lease.ReleasePages();
        return fits;
    }

    private static void Narrow(Tensor wide, Span<byte> bytes)
    {
        using TensorLease lease = wide.Open();
        TensorPrimitives.ConvertToHalf(lease.As<float>(), MemoryMarshal.Cast<byte, Half>(bytes));
    }
}
