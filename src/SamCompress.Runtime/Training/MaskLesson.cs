using SamCompress.IR;
using SamCompress.Passes;
using SamCompress.Runtime.Inference;

namespace SamCompress.Runtime.Training;

/// <summary>What a student learns of masks: it is trained with a frozen decoder behind it, on prompts that it answers wrong.</summary>
internal sealed class MaskLesson : IDisposable
{
    /// <summary>The probability from which on an element belongs to a mask.</summary>
    public const float Threshold = 0.5f;

    private readonly MaskHead _head;
    private readonly HardPrompts _prompts;
    private readonly HashSet<string> _ofStudent;

    private MaskLesson(Model joined, MaskHead head, HardPrompts prompts, HashSet<string> ofStudent)
    {
        Joined = joined;
        _head = head;
        _prompts = prompts;
        _ofStudent = ofStudent;
    }

    /// <summary>A copy of the student with the decoder behind it.</summary>
    public Model Joined { get; }

    /// <summary>The name of the value with the probabilities of the masks.</summary>
    public string Masks => _head.Probabilities;

    /// <param name="student">Stays as it is, and must live longer.</param>
    /// <param name="decoder">Fixed for <see cref="HardPrompts.PointCount"/> points, and must live longer.</param>
    public static MaskLesson Open(Model student, Model decoder, SessionSettings settings)
    {
        Model joined = ModelCopy.Of(student);
        try
        {
            var head = MaskHead.Attach(joined, decoder);
            return new MaskLesson(joined, head, new HardPrompts(decoder, head.Frame, settings), [.. student.Graph.Initializers.Select(i => i.Name)]);
        }
        catch
        {
            joined.Dispose();
            throw;
        }
    }

    /// <summary>Whether a weight is the student's, by name, and not the decoder's.</summary>
    public bool Trains(string weight) => _ofStudent.Contains(weight);

    /// <summary>Asks about a picture, and adds what was asked to the inputs of the joined model.</summary>
    /// <param name="teacher">The embedding of the teacher.</param>
    /// <param name="student">Makes that of the student, when it is needed; null asks without it.</param>
    /// <returns>The target of <see cref="Masks"/>.</returns>
    public RuntimeTensor Ask(
        RuntimeTensor teacher, Func<RuntimeTensor>? student, ShownPicture view, ulong seed, Dictionary<string, RuntimeTensor> inputs, CancellationToken cancellationToken)
    {
        AskedMasks asked = _prompts.Ask(teacher, student, view, new SplitMix64(seed), cancellationToken);
        (inputs[_head.Points], inputs[_head.Labels]) = (asked.Points, asked.Labels);
        return asked.Masks;
    }

    public void Dispose()
    {
        _prompts.Dispose();
        Joined.Dispose();
    }
}
