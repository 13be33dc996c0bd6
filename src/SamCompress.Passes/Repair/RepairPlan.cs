namespace SamCompress.Passes.Repair;

/// <summary>A layer of the student that shall be refitted, and what it shall come to.</summary>
/// <param name="Layer">The name of a Linear or a pointwise convolution.</param>
/// <param name="TeacherValue">The value of the teacher that the layer's output, together with the residual, shall be like. Shaped as the layer's output.</param>
/// <param name="Residual">The value of the student that is added to the layer's output; null when the output itself shall be like the teacher's value.</param>
public sealed record RepairTarget(string Layer, string TeacherValue, string? Residual = null);

/// <summary>What was decided for one layer. Errors are shares of the variation of what the layer should give, on pictures that the fit did not see.</summary>
public sealed record LayerRepair
{
    public required string Layer { get; init; }

    /// <summary>How strongly the weight was held; see <see cref="RidgeRegression"/>. 0 when no fit was better.</summary>
    public required double Lambda { get; init; }

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
