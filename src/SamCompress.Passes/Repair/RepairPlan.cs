using SamCompress.IR;
using SamCompress.Passes.Quantization;

namespace SamCompress.Passes.Repair;

/// <summary>A layer of the student that shall be refitted, and what it shall come to.</summary>
/// <param name="Layer">The name of a Linear or a pointwise convolution.</param>
/// <param name="TeacherValue">The value of the teacher that the layer's output, together with the residual, shall be like. Shaped as the layer's output.</param>
/// <param name="Residual">The value of the student that is added to the layer's output; null when the output itself shall be like the teacher's value.</param>
public sealed record RepairTarget(string Layer, string TeacherValue, string? Residual = null)
{
    /// <summary>
    /// The target of a student whose values have the names of the teacher's: what is behind the residual Add, which also makes up for what came before the
    /// layer; without one the layer's output.
    /// </summary>
    /// <returns>Null when the teacher has no such value of the same shape. Needs inferred shapes.</returns>
    public static RepairTarget? Of(QuantizableLayer layer, Model teacher)
    {
        ArgumentNullException.ThrowIfNull(layer);
        ArgumentNullException.ThrowIfNull(teacher);
        Value output = layer.Output;
        Value? sum = null, residual = null;
        if (output.Uses is [{ Node: { OpType: "Add", Domain: "" } add } use] && add.Input(1 - use.InputIndex) is { Producer: not null } other && Equals(other.Shape, output.Shape))
            (sum, residual) = (add.Output, other);
        string name = (sum ?? output).Name;
        Value? target = teacher.Graph.Nodes.SelectMany(n => n.Outputs).FirstOrDefault(v => v?.Name == name);
        return output.Shape is null || !Equals(target?.Shape, output.Shape) ? null : new RepairTarget(layer.Name, name, residual?.Name);
    }
}

/// <summary>What was decided for one layer. Errors are shares of the variation of what the layer should give, on pictures that the fit did not see.</summary>
public sealed record LayerRepair
{
    public required string Layer { get; init; }

    /// <summary>How strongly the weight was held, the median of the refitted outputs; see <see cref="RidgeRegression"/>. 0 when there are none.</summary>
    public required double Lambda { get; init; }

    /// <summary>How many outputs are refitted.</summary>
    public required int Refitted { get; init; }

    public required double ErrorBefore { get; init; }

    public required double ErrorAfter { get; init; }

    /// <summary>The new weight and bias; null when the layer stays as it is.</summary>
    public AffineMap? Map { get; init; }

    public bool IsKept => Map is not null;

    /// <summary>Why the repair is kept, or not.</summary>
    public required string Why { get; init; }
}

/// <summary>In the order of the graph.</summary>
public sealed record RepairPlan(IReadOnlyList<LayerRepair> Layers);
