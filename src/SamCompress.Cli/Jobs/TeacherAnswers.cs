using SamCompress.Runtime.Evaluation;
using SamCompress.Runtime.Images;

namespace SamCompress.Cli.Jobs;

/// <summary>Opens teachers whose answers about some pictures are kept, for students that are judged one after the other.</summary>
internal static class TeacherAnswers
{
    /// <summary>Runs the float models once on every picture.</summary>
    /// <param name="badPictures">How many pictures that cannot be read are left out before it is an error.</param>
    /// <param name="keepsEncoder">Whether the encoder will run again; else its memory is better used for students.</param>
    /// <param name="onPicture">Told of each picture that was answered.</param>
    /// <returns>The teacher, to be disposed of by the caller, and the pictures that could be read.</returns>
    public static (Teacher Teacher, ImageSet Pictures) Open(
        string encoder,
        string? decoder,
        IReadOnlyList<string> pictures,
        ExecutionRequest execution,
        int badPictures,
        bool keepsEncoder,
        IJobProgress progress,
        Action<int>? onPicture,
        CancellationToken cancellation)
    {
        var teacher = Teacher.Open(encoder, decoder, new TeacherSettings { Session = execution.FrugalSession, MaxCachedBytes = long.MaxValue });
        try
        {
            var usable = new List<string>();
            foreach (string path in pictures)
            {
                try
                {
                    using EncoderImage image = teacher.Images.Load(path, cancellation);
                    teacher.Run(image, cancellation);
                    usable.Add(path);
                    onPicture?.Invoke(usable.Count);
                }
                catch (SamCompressException e) when (e.Kind == FailureKind.InputRejected && pictures.Count - usable.Count <= badPictures)
                {
                    progress.Note($"left out {e.Message}");
                }
            }

            if (!keepsEncoder)
                teacher.Encoder.Dispose();
            return (teacher, ImageSet.Of(usable));
        }
        catch
        {
            teacher.Dispose();
            throw;
        }
    }
}
