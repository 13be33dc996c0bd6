using SamCompress.IR;
using SamCompress.Passes.Differentiation.Training;
using SamCompress.Passes.Pruning;
using SamCompress.Passes.Pruning.Importance;
using SamCompress.Runtime.Inference;

namespace SamCompress.Runtime.Training;

/// <summary>Collects over pictures what a criterion of importance asks for.</summary>
/// <remarks>Source: SlimSAM (arXiv 2312.05284), equation 4: the label is the model's own embedding plus noise of deviation 0.01; gradients are summed with their signs.</remarks>
/// <param name="mostPictures">How many pictures gradients are summed up over, at most.</param>
public sealed class ImportanceGradients(SessionSettings session, int mostPictures)
{
    /// <summary>Of the noise that is added to embeddings.</summary>
    public const double NoiseDeviation = 0.01;

    /// <param name="model">Cleaned up and fused; stays as it is.</param>
    /// <param name="groups">The channels that will be ranked.</param>
    /// <param name="decoder">For <see cref="ImportanceCriteria.Taylor"/>: see <see cref="MaskHead.Fix"/>.</param>
    /// <param name="seed">Of the noise and of the places of the prompts.</param>
    /// <exception cref="SamCompressException">The criterion needs a decoder and there is none, an operator has no gradient, or ONNX Runtime failed.</exception>
    public ChannelImportance Collect(
        string criterion, Model model, ChannelGroups groups, TrainingPictures pictures, Model? decoder, int seed, Action<int, int>? progress = null, CancellationToken cancellationToken = default)
    {
        HashSet<string> wanted = [.. groups.Groups.SelectMany(g => g.Members).Where(m => m.IsWeight).Select(m => m.Initializer)];
        switch (criterion)
        {
            case ImportanceCriteria.Magnitude:
                return new MagnitudeImportance();
            case ImportanceCriteria.Random:
                return new RandomImportance(seed);
            case ImportanceCriteria.Taylor:
                return new TaylorImportance(Sum(HardMasks.Of(model, decoder ?? throw NoDecoder(), seed, session), wanted, StateKind.GradientSum), isDisturbed: false);
            case ImportanceCriteria.Hessian:
                return new HessianImportance(Sum(new NoisyEmbedding(model, seed, session), wanted, StateKind.SquaredGradientSum));
            case ImportanceCriteria.DisturbedTaylor:
                return new TaylorImportance(Sum(new NoisyEmbedding(model, seed, session), wanted, StateKind.GradientSum), isDisturbed: true);
            default:
                throw new InvariantException($"'{criterion}' is no criterion of importance");
        }

        IReadOnlyDictionary<string, Tensor> Sum(ImportanceLoss loss, HashSet<string> weights, StateKind kind)
        {
            using (loss)
            {
                using TrainingGraph graph = GradientGraph.Build(loss.Student, [loss.Term], weights.Contains, withSquares: kind == StateKind.SquaredGradientSum);
                using var training = TrainingSession.Open(graph, session);
                int count = Math.Min(mostPictures, pictures.Pictures.Paths.Count);
                for (int picture = 0; picture < count; picture++)
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    using TrainingSample sample = loss.Sample(pictures.Show(picture, (ulong)picture, cancellationToken).Input, picture, cancellationToken);
                    training.Step(sample.Inputs, sample.Targets, cancellationToken: cancellationToken);
                    progress?.Invoke(picture + 1, count);
                }

                return training.Read(kind);
            }
        }
    }

    private static SamCompressException NoDecoder() =>
        new(FailureKind.Usage, $"importance '{ImportanceCriteria.Taylor}' is about masks, and there is no decoder beside the model", $"name it with --decoder FILE, or take {ImportanceCriteria.DisturbedTaylor}.");

    /// <summary>A loss whose target is made of what the model itself gives.</summary>
    private abstract class ImportanceLoss : IDisposable
    {
        private readonly FeatureTeacher _teacher;

        protected ImportanceLoss(Model student, string feature, SessionSettings session)
        {
            Student = student;
            Term = new LossTerm(feature);
            _teacher = FeatureTeacher.Open(student, [feature], session);
        }

        public Model Student { get; }

        public LossTerm Term { get; }

        public TrainingSample Sample(RuntimeTensor view, int picture, CancellationToken cancellationToken)
        {
            Dictionary<string, RuntimeTensor> inputs = Inputs(view, picture);
            RuntimeTensors shown = _teacher.Show(inputs, cancellationToken);
            RuntimeTensor target = shown.Detach(Term.Value);
            Disturb(target.As<float>(), picture);
            return new TrainingSample(inputs, new Dictionary<string, RuntimeTensor> { [Term.Name] = target });
        }

        public virtual void Dispose() => _teacher.Dispose();

        protected virtual Dictionary<string, RuntimeTensor> Inputs(RuntimeTensor view, int picture) => new(StringComparer.Ordinal) { [Student.Graph.Inputs[0].Name] = view };

        /// <summary>Makes the target of what the model gives.</summary>
        protected abstract void Disturb(Span<float> values, int picture);

        protected static Random Generator(int seed, int picture) => new(unchecked((seed * 1_000_003) + picture));
    }

    /// <summary>t + noise, noise ~ N(0, 0.01²).</summary>
    private sealed class NoisyEmbedding(Model model, int seed, SessionSettings session) : ImportanceLoss(model, model.Graph.Outputs[0].Name, session)
    {
        /// <summary>Box and Muller's pairs.</summary>
        protected override void Disturb(Span<float> values, int picture)
        {
            Random random = Generator(seed, picture);
            for (int i = 0; i < values.Length; i += 2)
            {
                double radius = NoiseDeviation * Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())), angle = 2 * Math.PI * random.NextDouble();
                values[i] += (float)(radius * Math.Cos(angle));
                if (i + 1 < values.Length)
                    values[i + 1] += (float)(radius * Math.Sin(angle));
            }
        }
    }

    /// <summary>The masks of one point in a random place, made hard: what a label would be if the model were always right.</summary>
    private sealed class HardMasks : ImportanceLoss
    {
        private readonly MaskHead _head;
        private readonly int _seed;

        private HardMasks(Model joined, MaskHead head, int seed, SessionSettings session)
            : base(joined, head.Probabilities, session)
        {
            _head = head;
            _seed = seed;
        }

        public static HardMasks Of(Model model, Model decoder, int seed, SessionSettings session)
        {
            Model joined = ModelCopy.Of(model);
            try
            {
                return new HardMasks(joined, MaskHead.Attach(joined, decoder), seed, session);
            }
            catch
            {
                joined.Dispose();
                throw;
            }
        }

        public override void Dispose()
        {
            base.Dispose();
            Student.Dispose();
        }

        protected override Dictionary<string, RuntimeTensor> Inputs(RuntimeTensor view, int picture)
        {
            Dictionary<string, RuntimeTensor> inputs = base.Inputs(view, picture);
            _head.AddPoint(inputs, Generator(_seed, picture));
            return inputs;
        }

        protected override void Disturb(Span<float> values, int picture)
        {
            for (int i = 0; i < values.Length; i++)
                values[i] = values[i] > 0.5f ? 1 : 0;
        }
    }
}
