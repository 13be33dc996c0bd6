using System.Collections.Immutable;
using SamCompress.IR;

namespace SamCompress.Passes.Differentiation.Training;

/// <summary>What a tensor of the state is.</summary>
public enum StateKind
{
    Weight,

    /// <summary>
    /// Σ β₁ⁱ g, i updates ago: the first moment of AdamW without its factor 1 - β₁, where g is the sum of the gradients of all pictures of an update; with clipping, their
    /// clipped mean.
    /// </summary>
    FirstMoment,

    /// <summary>Σ β₂ⁱ g², of the same g: the second moment without its factor 1 - β₂.</summary>
    SecondMoment,

    /// <summary>The sum of the gradients of the pictures so far.</summary>
    GradientSum,

    /// <summary>The sum of the squared gradients of the pictures so far.</summary>
    SquaredGradientSum,
}

/// <summary>A tensor that a step reads and writes: after each step the output becomes the input of the next.</summary>
/// <param name="Parameter">The name of the weight, which is that of an initializer of the student.</param>
/// <param name="Initial">Before the first step; null for zeros.</param>
public sealed record StateTensor(string Parameter, StateKind Kind, string Input, string Output, ImmutableArray<long> Dimensions, Tensor? Initial)
{
    public string Name => $"{Parameter}:{Kind}";
}

/// <summary>Where a term of the loss is found in the graph.</summary>
/// <param name="Target">The input of the shape of the student's value.</param>
/// <param name="Weight">The scalar input that the term is multiplied by.</param>
/// <param name="Loss">The scalar output: the term with its scale, without its weight.</param>
public sealed record TermPlaces(LossTerm Term, string Target, string Weight, string Loss);

/// <summary>Where the optimizer is found in the graph.</summary>
/// <param name="LearningRate">Scalar input, of double.</param>
/// <param name="Update">Scalar input of int64: the number of the update, from 1.</param>
/// <param name="Apply">Scalar input of bool: whether this picture is the last one of an update; null when each one is.</param>
/// <param name="GradientNorm">Scalar output: the norm of the mean gradient before clipping; null without clipping.</param>
public sealed record OptimizerPlaces(string LearningRate, string Update, string? Apply, string? GradientNorm);

/// <summary>
/// One step of training as a graph: forward, loss, backward, update. Its state goes in and comes out; it holds nothing.
/// Or, without an optimizer, one step of summing up gradients: see <see cref="GradientGraph"/>.
/// </summary>
public sealed record TrainingGraph : IDisposable
{
    /// <summary>Its big frozen weights are those of the student, which must live longer.</summary>
    public required Model Model { get; init; }

    /// <summary>The inputs of the student.</summary>
    public required IReadOnlyList<string> Inputs { get; init; }

    public required IReadOnlyList<TermPlaces> Terms { get; init; }

    /// <summary>Scalar output: the sum of the terms, each with its weight.</summary>
    public required string Loss { get; init; }

    public required IReadOnlyList<StateTensor> State { get; init; }

    /// <summary>Null where gradients are summed up only.</summary>
    public OptimizerPlaces? Optimizer { get; init; }

    /// <summary>The number of pictures for one update.</summary>
    public int Accumulation { get; init; } = 1;

    /// <summary>Builds the step of training of a student.</summary>
    /// <param name="student">Behind <see cref="StandardPipeline.Cleanup"/> and <see cref="StandardPipeline.Fusion"/>, with static shapes. Stays as it is.</param>
    /// <exception cref="SamCompressException">Unsupported: an operator without a gradient. Usage: no weight reaches the loss.</exception>
    /// <exception cref="InvariantException">A term names a value that is not there or no float, or no term is there.</exception>
    public static TrainingGraph Build(Model student, IReadOnlyList<LossTerm> terms, TrainingOptions? options = null)
    {
        options ??= TrainingOptions.Default;
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Accumulation, 1, nameof(options));
        var losses = LossGraph.Build(student, terms, options.Trainable, options.Recomputes);
        try
        {
            return new OptimizerWriter(losses, options).Write();
        }
        catch
        {
            losses.Model.Dispose();
            throw;
        }
    }

    public void Dispose() => Model.Dispose();
}
