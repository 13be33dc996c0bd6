using SamCompress.IR;
using SamCompress.Passes.Distillation;
using SamCompress.Runtime.Inference;

namespace SamCompress.Runtime.Training;

/// <summary>Makes what a student sees of a picture, and what its teachers say of it.</summary>
/// <param name="student">Its inputs and outputs have the names of the teachers'.</param>
/// <param name="lesson">For terms of masks; null when there are none.</param>
/// <param name="seed">Decides the view of each picture in each epoch, and what is asked about it.</param>
internal sealed class DistillationSamples(
    Model student, IReadOnlyList<Model> teachers, DistillationObjective objective, TrainingPictures pictures, MaskLesson? lesson, ulong seed, SessionSettings settings) : IDisposable
{
    private readonly string _input = student.Graph.Inputs[0].Name;
    private readonly string _embedding = student.Graph.Outputs[0].Name;
    private readonly List<FeatureTeacher> _teachers = [];

    /// <summary>Opens the teachers.</summary>
    public void Open()
    {
        for (int i = 0; i < teachers.Count; i++)
        {
            IEnumerable<string> features = objective.Terms.Where(t => t.Teacher == i && !t.IsOfMasks).Select(t => t.Feature);
            _teachers.Add(FeatureTeacher.Open(teachers[i], i == 0 && lesson is not null ? features.Append(_embedding) : features, settings));
        }
    }

    /// <param name="embed">Makes the embedding of the student as it is from a picture; null asks for masks without it.</param>
    /// <param name="names">Of the terms, in the order of the objective.</param>
    /// <returns>The targets by these names.</returns>
    public TrainingSample Of(SampleDraw draw, Func<RuntimeTensor, RuntimeTensor>? embed, IReadOnlyList<string> names, CancellationToken cancellationToken)
    {
        ulong view = unchecked((seed << 40) + (ulong)((draw.Epoch * pictures.Pictures.Paths.Count) + draw.Index));
        ShownPicture shown = pictures.Show(draw.Index, view, cancellationToken);
        var picture = new Dictionary<string, RuntimeTensor>(StringComparer.Ordinal) { [_input] = shown.Input };
        var inputs = new Dictionary<string, RuntimeTensor>(picture, StringComparer.Ordinal);
        var targets = new Dictionary<string, RuntimeTensor>(StringComparer.Ordinal);
        for (int t = 0; t < _teachers.Count; t++)
        {
            using RuntimeTensors said = _teachers[t].Show(picture, cancellationToken);
            for (int i = 0; i < names.Count; i++)
            {
                // Before the embedding is given away as a target.
                if (objective.Terms[i] is { IsOfMasks: true } term && term.Teacher == t)
                    targets[names[i]] = lesson!.Ask(said[_embedding], embed is null ? null : () => embed(shown.Input), shown, view, inputs, cancellationToken);
            }

            for (int i = 0; i < names.Count; i++)
            {
                if (objective.Terms[i] is { IsOfMasks: false } term && term.Teacher == t)
                    targets[names[i]] = said.Detach(term.Feature);
            }
        }

        return new TrainingSample(inputs, targets);
    }

    public void Dispose()
    {
        foreach (FeatureTeacher teacher in _teachers)
            teacher.Dispose();
    }
}
