// Dense Inverse Search (Kroeger et al., ECCV 2016) as OpenCV has it, behind one plain function.

#include <cstdio>
#include <exception>

#include <opencv2/core.hpp>
#include <opencv2/video/tracking.hpp>

// Estimates the motion from `from` to `to`, 8-bit grey of width x height bytes each, into `flow`, [height, width, 2]
// floats. 0 where that went well; otherwise `message`, of `length` bytes, says why not.
extern "C" int impasto_dis_flow(const unsigned char *from, const unsigned char *to, int width, int height, float *flow,
                                char *message, std::size_t length) noexcept {
    try {
        // The search passes vectors on within the stripe of a thread: with another number of threads the result is
        // another.
        cv::setNumThreads(1);
        const cv::Mat first(height, width, CV_8UC1, const_cast<unsigned char *>(from));
        const cv::Mat second(height, width, CV_8UC1, const_cast<unsigned char *>(to));
        // Empty: a field that is there already would be taken for a first guess.
        cv::Mat found;
        cv::DISOpticalFlow::create(cv::DISOpticalFlow::PRESET_MEDIUM)->calc(first, second, found);
        if (found.rows != height || found.cols != width || found.type() != CV_32FC2) {
            std::snprintf(message, length, "OpenCV gave a field of another size");
            return 1;
        }
        found.copyTo(cv::Mat(height, width, CV_32FC2, flow));
        return 0;
    } catch (const std::exception &error) {
        std::snprintf(message, length, "%s", error.what());
    } catch (...) {
        std::snprintf(message, length, "OpenCV failed");
    }
    return 1;
}
