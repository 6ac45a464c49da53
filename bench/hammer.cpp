/// A load generator for HTTP over TLS: `hammer HOST PORT CA CLIENTS SECONDS < requests`.
///
/// The requests come ready-made on standard input, each as a line with its length in bytes and then those bytes, so that
/// signing costs nothing while it runs. Every client has one kept-alive connection and sends the requests in turn, each
/// client from a place of its own; a server that closes after an answer is connected to again. An answer that isn't 2xx ends the
/// run with that answer and status 1. Prints one line of JSON: requests, seconds, p50_us, p99_us.
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace {
using Clock = std::chrono::steady_clock;

[[noreturn]] void quit(std::string_view why) {
  std::fprintf(stderr, "hammer: %.*s\n", int(why.size()), why.data());
  std::_Exit(1);
}

std::vector<std::string> read_requests() {
  std::vector<std::string> out;
  for (std::string length; std::getline(std::cin, length);) {
    out.emplace_back(std::stoul(length), '\0');
    if (!std::cin.read(out.back().data(), std::streamsize(out.back().size()))) quit("a request is shorter than it says");
  }
  if (out.empty()) quit("no requests on standard input");
  return out;
}

class Client {
 public:
  Client(SSL_CTX* tls, const addrinfo& to) : context_(tls), to_(to) { connect(); }
  ~Client() { disconnect(); }
  Client(const Client&) = delete;

  void exchange(std::string_view request) {
    if (SSL_write(tls_, request.data(), int(request.size())) != int(request.size())) quit("the server hung up on a request");
    std::size_t head;
    while ((head = got_.find("\r\n\r\n")) == std::string::npos) more();
    head += 4;
    std::string_view text(got_.data(), head);
    if (text.size() < 12 || text[9] != '2') quit(got_);
    std::size_t total = head + length_of(text);
    while (got_.size() < total) more();
    bool closes = lower(text).find("\r\nconnection: close") != std::string::npos;
    got_.erase(0, total);
    if (!closes) return;
    disconnect();
    connect();
  }

 private:
  void connect() {
    socket_ = ::socket(to_.ai_family, SOCK_STREAM, 0);
    int on = 1;
    ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (::connect(socket_, to_.ai_addr, to_.ai_addrlen) != 0) quit("can't connect");
    tls_ = SSL_new(context_);
    SSL_set_fd(tls_, socket_);
    if (SSL_connect(tls_) != 1) quit("no TLS: is the certificate from the CA that was given?");
  }
  void disconnect() {
    SSL_free(tls_);
    ::close(socket_);
  }
  static std::string lower(std::string_view text) {
    std::string out(text);
    std::ranges::transform(out, out.begin(), [](unsigned char c) { return char(std::tolower(c)); });
    return out;
  }
  void more() {
    char buffer[16384];
    int n = SSL_read(tls_, buffer, sizeof buffer);
    if (n <= 0) quit("the server hung up in an answer");
    got_.append(buffer, std::size_t(n));
  }
  static std::size_t length_of(std::string_view text) {
    std::string head = lower(text);
    if (head.find("transfer-encoding") != std::string::npos) quit("a chunked answer: " + head);
    auto at = head.find("\r\ncontent-length:");
    if (at == std::string::npos) return 0;
    at = head.find_first_of("0123456789", at);
    std::size_t out = 0;
    std::from_chars(head.data() + at, head.data() + head.size(), out);
    return out;
  }
  SSL_CTX* context_;
  const addrinfo& to_;
  SSL* tls_ = nullptr;
  int socket_ = -1;
  std::string got_;
};
}  // namespace

int main(int argc, char** argv) {
  if (argc != 6) quit("usage: hammer HOST PORT CA CLIENTS SECONDS < requests");
  auto requests = read_requests();
  SSL_CTX* tls = SSL_CTX_new(TLS_client_method());
  SSL_CTX_set_verify(tls, SSL_VERIFY_PEER, nullptr);
  if (SSL_CTX_load_verify_locations(tls, argv[3], nullptr) != 1) quit("can't read the CA");
  addrinfo hints{}, *to = nullptr;
  hints.ai_socktype = SOCK_STREAM;
  if (::getaddrinfo(argv[1], argv[2], &hints, &to) != 0) quit("no such host");

  std::size_t clients = std::stoul(argv[4]);
  std::vector<std::vector<double>> took(clients);
  std::atomic<bool> stop = false;
  std::vector<std::thread> threads;
  for (std::size_t n = 0; n < clients; ++n)
    threads.emplace_back([&, n] {
      Client client(tls, *to);
      for (std::size_t i = n * requests.size() / clients; !stop; ++i) {
        auto began = Clock::now();
        client.exchange(requests[i % requests.size()]);
        took[n].push_back(std::chrono::duration<double, std::micro>(Clock::now() - began).count());
      }
    });
  auto began = Clock::now();
  std::this_thread::sleep_for(std::chrono::duration<double>(std::stod(argv[5])));
  stop = true;
  for (auto& t : threads) t.join();
  double seconds = std::chrono::duration<double>(Clock::now() - began).count();

  std::vector<double> all;
  for (auto& t : took) all.insert(all.end(), t.begin(), t.end());
  std::ranges::sort(all);
  std::printf("{\"requests\": %zu, \"seconds\": %.3f, \"p50_us\": %.0f, \"p99_us\": %.0f}\n", all.size(), seconds,
              all.empty() ? 0 : all[all.size() / 2], all.empty() ? 0 : all[all.size() * 99 / 100]);
}
