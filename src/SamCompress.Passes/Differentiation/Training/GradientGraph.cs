using SamCompress.IR;
using SamCompress.Passes.Rewriting;

namespace SamCompress.Passes.Differentiation.Training;

/// <summary>Sums up the gradients of a loss over pictures, for the importance of what a weight belongs to. Nothing is updated.</summary>
public static class GradientGraph
{
    /// <summary>
    /// Builds the step of one picture: G + g for each weight, and on demand F + g², the diagonal of Fisher's information times the number of pictures.
    /// </summary>
    /// <param name="wanted">Whose gradients are summed up, by name; null for all weights.</param>
    /// <param name="recomputes">See <see cref="TrainingOptions.Recomputes"/>.</param>
    /// <inheritdoc cref="TrainingGraph.Build"/>
    public static TrainingGraph Build(Model student, IReadOnlyList<LossTerm> terms, Func<string, bool>? wanted = null, bool withSquares = false, bool recomputes = false)
    {
        var losses = LossGraph.Build(student, terms, wanted, recomputes);
        try
        {
            var graph = new GraphBuilder(losses.Model, "sum");
            var state = new List<StateTensor>();
            foreach ((Value weight, Value gradient, _) in losses.Weights)
            {
                state.Add(Sum(weight, StateKind.GradientSum, gradient));
                if (withSquares)
                    state.Add(Sum(weight, StateKind.SquaredGradientSum, graph.Mul(gradient, gradient)));
            }

            losses.Finish();
            return new TrainingGraph { Model = losses.Model, Inputs = losses.Inputs, Terms = losses.Terms, Loss = losses.Loss, State = state };

            StateTensor Sum(Value weight, StateKind kind, Value term)
            {
                Value sum = losses.AddState(weight, kind);
                return losses.Bind(weight.Name, kind, sum, graph.Add(sum, term));
            }
        }
        catch
        {
            losses.Model.Dispose();
            throw;
        }
    }
}
